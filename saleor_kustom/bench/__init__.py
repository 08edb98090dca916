"""The benchmark: the app and a peer's stand-in measured side by side, in one run.

Absolute figures depend on the machine and on who else uses it. So every figure that is judged is a
ratio: ours to that of a stand-in which ran in the same minutes, or large to small. The app, what
loads it and what stands for Saleor and Kustom are processes of their own, so that the CPU time of
the app alone is counted. What the figures mean: docs/performance.md.
"""
