"""What there is to see: tables, pictures and transcripts, in one style.

frames       answers of any boto3 ECR client as tidy tables
transcripts  what a client and the registry said to each other
inventory    what a registry holds: tags, ghosts, indexes, shared layers
show, piles  that as one picture: rows for few images, piles for many
tag_history  which image had which tag when
fates        what becomes of each image under a policy, and why; fate_strip draws it over time
policy_editor, rule_form  change a policy and watch the fates change
plots        the one look of all pictures
"""
