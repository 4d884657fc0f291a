"""Keep every channel of a network in training at work."""
import torch


@torch.no_grad()
def recentre(model, batches, copies=()):
    """Keep the biases of a model and its copies relative to the means of their convolutions' inputs.

    Kernels change fast at first. What they make of their inputs' means would push whole channels below nought, where no
    gradient reaches them: a tenth to a half of the later layers, within 3,000 steps.
    """
    x, _, sigma = batches.next()
    seen = [x.mean().expand(model.fold**2)]
    model(x, sigma=sigma, observe=lambda i, h: seen.append(h.float().mean((0, 2, 3))))
    for index in range(len(model.convs)):
        for each in (model, *copies):
            each.convs[index].recentre(seen[index])


@torch.no_grad()
def revive(model, batches, below=0.0005, rounds=4):
    """Begin dead channels anew; [how many] of each layer: those that less than `below` of all pixels light up.

    Each gets random weights of its layer's usual size, a bias by which half of the pixels light it up, and no say in the
    next layer yet: the network computes what it did but for what the channel gave.
    """
    inputs = [batches.next() for _ in range(rounds)]
    counts = []
    for index in range(len(model.activations)):
        seen = {}
        for x, _, sigma in inputs:
            model(x, sigma=sigma, observe=lambda i, h: seen.setdefault(i, []).append(h.float()))
        conv, reader = model.convs[index], model.convs[index + 1]
        lit = torch.stack([(h > 0).float().mean((0, 2, 3)) for h in seen[index]]).mean(0)
        dead = lit < below
        counts.append(int(dead.sum()))
        if index == 0 or not dead.any() or reader.groups > 1:
            continue
        fresh = torch.randn_like(conv.direct[dead])
        usual = conv.kernel()[~dead].flatten(1).norm(dim=1).median()
        fresh *= usual / fresh.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        conv.direct[dead] += fresh - conv.kernel()[dead]
        means = torch.stack([h.mean((0, 2, 3)) for h in seen[index - 1]]).mean(0)
        conv.bias[dead] = conv.response(conv.kernel(), conv.centre - means)[dead]
        reader.direct[:, dead] -= reader.kernel()[:, dead]
    return counts
