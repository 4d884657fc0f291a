"""Block pruning: whole (tap, 4 input channels, 16 output channels) blocks of inner kernels become zero.

That is the unit the integer engine multiplies, and skips where it is all zero. The share grows from nought over the
first part of a run (the network heals meanwhile), then the blocks stay as they are.
"""
import torch

TAPS, INPUTS, OUTPUTS = 9, 4, 16


def block_norms(kernel):
    """(out, in, 3, 3) -> (out / 16, in / 4, 9) Euclidean norms."""
    out, inputs = kernel.shape[:2]
    blocks = kernel.reshape(out // OUTPUTS, OUTPUTS, inputs // INPUTS, INPUTS, TAPS)
    return blocks.square().sum((1, 3)).sqrt()


@torch.no_grad()
def prune(model, share):
    """Mask the weakest `share` of the inner convolutions' blocks, taken over all of them together."""
    inner = [conv for conv in model.convs if conv.direct.shape[0] % OUTPUTS == 0 and conv.direct.shape[1] % INPUTS == 0]
    norms = [block_norms(conv.direct) for conv in inner]
    norms = [n / n.square().mean().sqrt() for n in norms]
    flat = torch.cat([n.flatten() for n in norms])
    limit = flat.sort().values[min(int(share * len(flat)), len(flat) - 1)]
    for conv, norm in zip(inner, norms):
        keep = (norm >= limit).to(conv.direct.dtype)
        out, inputs = conv.direct.shape[:2]
        keep = keep[:, None, :, None, :].expand(-1, OUTPUTS, -1, INPUTS, -1)
        conv.mask = keep.reshape(out, inputs, 3, 3)


def share_at(done, section):
    """The share of blocks to be pruned when `done` (0...1) of the run is over."""
    return section["prune"] * (1 - max(0, 1 - done / section.get("prune_ramp", 0.4)) ** 3)


def due(done, section):
    """Whether masks are still to be chosen: while the share grows."""
    return done < section.get("prune_ramp", 0.4)


def wear(model, masks):
    """The masks of another copy, one a convolution; none where nothing is pruned."""
    for conv, mask in zip(model.convs, masks):
        conv.mask = mask


def restore(model):
    """Masks of a network that was pruned before: its zero blocks stay zero."""
    for conv in model.convs:
        if conv.direct.shape[0] % OUTPUTS == 0 and conv.direct.shape[1] % INPUTS == 0:
            zero = block_norms(conv.direct.detach()) == 0
            if zero.any():
                keep = (~zero).to(conv.direct.dtype)[:, None, :, None, :].expand(-1, OUTPUTS, -1, INPUTS, -1)
                conv.mask = keep.reshape(conv.direct.shape)
