"""The registry: repositories, images, tags, layers and tokens, stored byte for byte.

    World ─► Registry (account, Region) ─► repositories · images · pushes · layers · tokens: the verbs, by module
      │
      ├ store      SQLite: what is known          ├ uploads    layers on their way in
      ├ blobs      files: what was pushed         └ collector  deletes unused layers

This room uses no HTTP, moto or boto3: `ecrlab.simulator` adds the AWS and the Docker face.
"""
