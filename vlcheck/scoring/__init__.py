"""From queries to answers: what to ask, what is kept, and who asks it.

Nothing is re-exported: `answer` is read by floors that need neither numpy nor sqlite.
"""
