"""What a learner changes with the mouse: the editor of policies, and the what-if panel."""
