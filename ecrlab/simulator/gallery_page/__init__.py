"""The gallery of public repositories as web pages, like the Amazon ECR Public Gallery on gallery.ecr.aws.

    listings   what the world's public registries and the kit's own images show to everybody
    markdown   a repository's texts, which are written by strangers
    page       the HTML of the list, and of one repository
    site       the pages on the lab's port, below /gallery/

The pages run no script and load nothing but logos. `lab.gallery()` shows the same pages in a cell.
"""
