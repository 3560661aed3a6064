"""Every threshold of diagnose(), each with its reason.

Chosen on bank.cases("tuning"); PATIENCE and INFLATED_LOSS on random nets outside the bank.
Most come in pairs, (absent, present): a statistic up to the first says that the symptom is
absent, one from the second that it is present, and what lies between decides nothing. A quarter
up or down changes hardly a verdict in the bank, except for those that sit beside the luck of the
batches, FEWEST_STEPS, IS_LEARNING and the lower JUMP, and for DEAD, which cannot exceed 1.
"""

from __future__ import annotations

# A run of fewer steps, all of them finite, is not judged: batches alone move the loss by a tenth.
FEWEST_STEPS = 10

# After so many steps without learning, a symptom between its two thresholds counts as present:
# luck of the batches no longer explains that the loss stays.
PATIENCE = 300

# Loss of the last steps, divided by the loss of guessing (or the first loss, if that is lower).
# Batches of 64 leave a net that learns nothing within 0.95 to 1.1.
HAS_LEARNT = 0.7
IS_LEARNING = 0.9
# A loss below this share of guessing is a success, however small its gradients.
NEARLY_SOLVED = 0.05

# Powers of ten by which the gradient of the hidden values grows or shrinks on its way from the
# last hidden layer to the first, before the first step. Healthy nets of 1 to 15 layers stay within
# ±0.6; nets 24 wide scatter by about 0.3 (Hanin & Nica 2019: the variance of its logarithm grows
# like depth / width).
GROWTH_DECADES = (1.0, 1.5)
DECAY_DECADES = (1.0, 1.7)
# Powers of ten by which the root mean square of the hidden values shrinks from the first to the
# last hidden layer. Sigmoid and flat tanh keep theirs within 0.1; tanh with Xavier weights loses
# 0.6 over 12 layers, and a decaying gradient that comes with less is not the init's doing.
SIGNAL_DECAY_DECADES = (0.7, 1.0)
# First loss, divided by the loss of guessing: 1.0 to 1.3 with customary weights, 3 in saturated
# nets, 8 with large weights in two layers, above 100 where the signal grows through the layers.
INFLATED_LOSS = 50.0

# Leverage: the relative change of the loss, to first order, if all weights of the layer that
# counts most were changed relatively by 1. 0.6 to 5 in nets that can learn, sigmoids included;
# 6e-6 to 2.5e-3 with a small init.
NO_LEVERAGE = (0.2, 0.02)

# Share of units that are 0 for the whole batch in the worst hidden layer, before the first step.
# A narrow ReLU net of 20 layers is born with one half.
DEAD = (0.7, 0.9)

# Highest loss after the first step, divided by the first loss or that of guessing, whichever is
# higher. Batches alone reach 1.15.
JUMP = (1.3, 1.7)
# ‖update‖ / ‖weights‖: the usual advice is about 1e-3 (Karpathy 2015, CS231n notes). At 0.3 in
# the median step, nothing that the weights have learnt stays.
OVERSHOOT = 0.3
# An update that large before the break is a step that can break a run.
LARGE_UPDATE = 0.1
# The same ratio, summed over all steps: an upper bound on how far a layer's weights have moved.
# Below 0.05 no layer can have moved by more than 5 %.
TRAVEL = (0.2, 0.05)

# Norms within this factor of where they started have not grown.
NOT_GROWN = 10.0
# A loss within this share of ln C counts as that of guessing: a batch of 64 scatters by 0.03.
PLATEAU = 0.05
# A sigmoid's greatest slope is 0.25; tanh with Xavier weights has 0.7 to 0.9, ReLU one half.
SMALL_SLOPE = 0.4
# A signal below this is about to underflow, in float32.
UNDERFLOW = 1e-30
# A first layer that moves, relatively, less than this share of what the last layer moves.
FROZEN = 0.01
# Weights that have grown by less than this cannot, in a net of 200 layers, overflow float32 where
# they did not before: 1.5^200 is 10^35.
NEARLY_THE_SAME = 1.5
