"""What ECR is: repositories, images, tags, layers and tokens, kept in one place and true to the byte.

    World ─► Registry (account, Region) ─► repositories · images · pushes · layers · tokens: the verbs, by module
      │
      ├ store      SQLite: what is known          ├ uploads    layers on their way in
      ├ blobs      files: what was pushed         └ collector  throws away what nobody needs

No HTTP, no moto, no boto3: `ecrlab.simulator` gives this room its AWS and its Docker face.
"""
