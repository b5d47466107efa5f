"""What makes the notebooks a course: exercises that look at the registry, quizzes that explain, progress that is kept.

exercises   what an exercise is, and how it is judged by the state of the registry
quizzes     cards with choices, each wrong one explained
questions   answers in a sentence, beside a model answer
progress    what this learner has solved and missed
seeds       what the seed of a lab varies, so that every student works in a world of their own
explanations  frequent errors: what they mean, their causes, the cure
start_here, authentication, push_and_pull …   the exercises and cards of one notebook each
"""
