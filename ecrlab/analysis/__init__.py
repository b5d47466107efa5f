"""What there is to see: tables, pictures and transcripts, in one style.

frames       answers of any boto3 ECR client as tidy tables
transcripts  what a client and the registry said to each other
inventory    what a registry holds: tags, ghosts, indexes, shared layers
show, piles  that as one picture: rows for few images, piles for many
tag_history  which image had which tag when
fates        what becomes of each image under a policy, and why; fate_strip draws it over time
policy_editor, rule_form  change a policy and watch the fates change
what_if      two policies, a start, a horizon, and what one saves
plots        the one look of all pictures

How old, how big, what it costs, and what a policy would save:

reading      a repository as a snapshot, through any boto3 ECR client
snapshot     what it is made of, as values, and what is not known of it
storage      true bytes: each layer once; what deleting frees; usage and stock count them, amounts bound them
prices       what bytes cost, by a table that can be replaced; archive is the same for archived images
ages         how old images are, by family of tags (families)
savings      what a policy does to what is there, rule by rule; waterfall draws it
risks        what it takes although it runs (running) or was pulled lately
projection   a year ahead, day by day; rates draws the days from a repository's own; outlook shows it
report       all of that of real repositories: `python3 -m ecrlab report`
"""
