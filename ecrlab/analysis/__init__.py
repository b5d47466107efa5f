"""What there is to see: tables, pictures and transcripts, in one style.

frames       answers of any boto3 ECR client as tidy tables
transcripts  what a client and the registry said to each other
plots        the one look of all pictures
"""
