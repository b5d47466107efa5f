"""What there is to see: tables, pictures and transcripts, in one style.

frames       answers of any boto3 ECR client as tidy tables
transcripts  what a client and the registry said to each other
inventory    what a registry holds: tags, ghosts, indexes, shared layers
show, piles  that as one picture: rows for few images, piles for many
tag_history  which image had which tag when
plots        the one look of all pictures
"""
