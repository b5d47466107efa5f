"""Tables, pictures, costs and reports of a registry, through any boto3 ECR client: the lab's, or a real account's.

inventory  what a repository holds, read through boto3, as values and as tidy tables
costs      true bytes, prices, savings, risks, and a year ahead
plots      the pictures, in one style
widgets    the editor of policies, and the what-if panel
report     all of that in text, JSON or one page: `python3 -m ecrlab report`
"""
