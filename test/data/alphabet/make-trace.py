"""Trains Karpathy's microgpt on french-portuguese.txt in double precision and writes french-trace.json.

    python3 make-trace.py                 writes the trace
    python3 make-trace.py --check FILE    compares with a trace of microgpt.py itself

Written from the description of the model, with gradients by hand, and apart from the TypeScript, so that the two can
be held against each other. Plain Python: lists of rows, sums from left to right. Before it does anything else it
compares its gradients with central differences.

One layer: x = norm(wte[token] + wpe[t]); x += attention(norm(x)) wo; x += relu(norm(x) w1) w2; logits = x wout, where
norm divides by the root of the mean square (eps 1e-5) and has no parameters. Weights are [in x out]: y = x W.
Token 0 is BOS; the characters of the list are 1, 2, ... in the order of their code points.
"""

import json
import random
import sys
from math import exp, log, sqrt
from pathlib import Path

FOLDER = Path(__file__).parent
LIST = "french-portuguese.txt"
TRACE = "french-trace.json"

N_EMBD, N_HEAD, BLOCK_SIZE = 16, 4, 16
HEAD_DIM = N_EMBD // N_HEAD
STEPS, KEPT_LOSSES = 1000, 60
LEARNING_RATE, BETA1, BETA2, EPS_ADAM, EPS_NORM = 0.01, 0.85, 0.99, 1e-8, 1e-5
INIT_STD, SEED = 0.08, 9
BOS = 0


def shapes(vocabulary_size):
    """The matrices in buffer order."""
    return {
        "wte": (vocabulary_size, N_EMBD),
        "wpe": (BLOCK_SIZE, N_EMBD),
        "wq": (N_EMBD, N_EMBD),
        "wk": (N_EMBD, N_EMBD),
        "wv": (N_EMBD, N_EMBD),
        "wo": (N_EMBD, N_EMBD),
        "w1": (N_EMBD, 4 * N_EMBD),
        "w2": (4 * N_EMBD, N_EMBD),
        "wout": (N_EMBD, vocabulary_size),
    }


def zeros(parameters):
    return {name: [[0.0] * len(row) for row in matrix] for name, matrix in parameters.items()}


def flat(parameters):
    return [value for matrix in parameters.values() for row in matrix for value in row]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def transposed(matrix):
    return [list(column) for column in zip(*matrix)]


def product(rows, matrix):
    columns = transposed(matrix)
    return [[dot(row, column) for column in columns] for row in rows]


def plus(a, b):
    return [[x + y for x, y in zip(r, s)] for r, s in zip(a, b)]


# Each forward below returns what its backward takes; d_y stands for the gradient of the loss with respect to y.


def norm(rows):
    scales = [1.0 / sqrt(dot(row, row) / len(row) + EPS_NORM) for row in rows]
    return [[x * scale for x in row] for row, scale in zip(rows, scales)], scales


def norm_backward(d_out, out, scales):
    d_in = []
    for d, y, scale in zip(d_out, out, scales):
        mean = dot(d, y) / len(y)
        d_in.append([scale * (dx - x * mean) for dx, x in zip(d, y)])
    return d_in


def product_backward(d_out, rows, matrix, d_matrix):
    """Adds to d_matrix and returns d_rows."""
    for i, column in enumerate(transposed(rows)):
        for j, d_column in enumerate(transposed(d_out)):
            d_matrix[i][j] += dot(column, d_column)
    return product(d_out, transposed(matrix))


def softmax(values):
    largest = max(values)
    powers = [exp(value - largest) for value in values]
    total = sum(powers)
    return [power / total for power in powers]


def attention(q, k, v):
    """Causal, head by head. weights[h][t] are the weights of the positions 0..t."""
    out = [[] for _ in q]
    weights = []
    for h in range(N_HEAD):
        part = slice(h * HEAD_DIM, (h + 1) * HEAD_DIM)
        of_head = []
        for t in range(len(q)):
            of_head.append(softmax([dot(q[t][part], k[s][part]) / sqrt(HEAD_DIM) for s in range(t + 1)]))
            out[t] += [sum(w * v[s][i] for s, w in enumerate(of_head[t])) for i in range(part.start, part.stop)]
        weights.append(of_head)
    return out, weights


def attention_backward(d_out, q, k, v, weights):
    d_q, d_k, d_v = ([[0.0] * N_EMBD for _ in q] for _ in range(3))
    for h in range(N_HEAD):
        part = range(h * HEAD_DIM, (h + 1) * HEAD_DIM)
        for t, of_position in enumerate(weights[h]):
            d_weights = [sum(d_out[t][i] * v[s][i] for i in part) for s in range(t + 1)]
            mean = dot(d_weights, of_position)
            for s, weight in enumerate(of_position):
                d_score = weight * (d_weights[s] - mean) / sqrt(HEAD_DIM)
                for i in part:
                    d_v[s][i] += weight * d_out[t][i]
                    d_q[t][i] += d_score * k[s][i]
                    d_k[s][i] += d_score * q[t][i]
    return d_q, d_k, d_v


def loss_and_gradients(p, inputs, targets):
    """The mean cross-entropy over the sequence, and its gradients with respect to the parameters p."""
    x0, scales0 = norm([[e + o for e, o in zip(p["wte"][token], p["wpe"][t])] for t, token in enumerate(inputs)])
    n1, scales1 = norm(x0)
    q, k, v = product(n1, p["wq"]), product(n1, p["wk"]), product(n1, p["wv"])
    att, weights = attention(q, k, v)
    x1 = plus(product(att, p["wo"]), x0)
    n2, scales2 = norm(x1)
    hidden = [[max(0.0, h) for h in row] for row in product(n2, p["w1"])]
    x2 = plus(product(hidden, p["w2"]), x1)
    probabilities = [softmax(row) for row in product(x2, p["wout"])]
    loss = sum(-log(row[target]) for row, target in zip(probabilities, targets)) / len(targets)

    g = zeros(p)
    d_logits = [[x / len(targets) for x in row] for row in probabilities]
    for row, target in zip(d_logits, targets):
        row[target] -= 1.0 / len(targets)
    d_x2 = product_backward(d_logits, x2, p["wout"], g["wout"])
    d_hidden = product_backward(d_x2, hidden, p["w2"], g["w2"])
    d_hidden = [[d if h > 0.0 else 0.0 for d, h in zip(r, s)] for r, s in zip(d_hidden, hidden)]
    d_n2 = product_backward(d_hidden, n2, p["w1"], g["w1"])
    d_x1 = plus(d_x2, norm_backward(d_n2, n2, scales2))
    d_att = product_backward(d_x1, att, p["wo"], g["wo"])
    d_q, d_k, d_v = attention_backward(d_att, q, k, v, weights)
    d_n1 = product_backward(d_q, n1, p["wq"], g["wq"])
    d_n1 = plus(d_n1, product_backward(d_k, n1, p["wk"], g["wk"]))
    d_n1 = plus(d_n1, product_backward(d_v, n1, p["wv"], g["wv"]))
    d_x0 = plus(d_x1, norm_backward(d_n1, n1, scales1))
    for t, d_row in enumerate(norm_backward(d_x0, x0, scales0)):
        for i, d in enumerate(d_row):
            g["wte"][inputs[t]][i] += d
            g["wpe"][t][i] += d
    return loss, g


class Adam:
    def __init__(self, parameters):
        self.m, self.v = zeros(parameters), zeros(parameters)

    def step(self, p, g, step):
        rate = LEARNING_RATE * (1 - step / STEPS)
        correction1, correction2 = 1 - BETA1 ** (step + 1), 1 - BETA2 ** (step + 1)
        for name in p:
            for row, d_row, m, v in zip(p[name], g[name], self.m[name], self.v[name]):
                for i, d in enumerate(d_row):
                    m[i] = BETA1 * m[i] + (1 - BETA1) * d
                    v[i] = BETA2 * v[i] + (1 - BETA2) * d * d
                    row[i] -= rate * (m[i] / correction1) / (sqrt(v[i] / correction2) + EPS_ADAM)


def sequence(document, vocabulary):
    """The document between two BOS, cut to the first BLOCK_SIZE targets: inputs and targets."""
    tokens = [BOS, *(vocabulary.index(character) + 1 for character in document), BOS]
    size = min(BLOCK_SIZE, len(tokens) - 1)
    return tokens[:size], tokens[1 : size + 1]


def train(p, documents, vocabulary, steps):
    """Changes p; returns the losses, and the gradients of the first step."""
    adam, losses, first = Adam(p), [], None
    for step in range(steps):
        loss, g = loss_and_gradients(p, *sequence(documents[step % len(documents)], vocabulary))
        first = first or g
        losses.append(loss)
        adam.step(p, g, step)
    return losses, first


def drawn(vocabulary_size):
    """Weights with six decimals, so that the numbers in the trace are those that were used."""
    rng = random.Random(SEED)
    return {
        name: [[round(rng.gauss(0, INIT_STD), 6) + 0.0 for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in shapes(vocabulary_size).items()
    }


def check_gradients(p, document, vocabulary):
    """Along a random direction through each matrix, the loss must change as its gradient says."""
    rng = random.Random(1)
    inputs, targets = sequence(document, vocabulary)
    _, g = loss_and_gradients(p, inputs, targets)
    for name, matrix in p.items():
        direction = [[rng.choice((-1.0, 1.0)) for _ in row] for row in matrix]
        expected = sum(dot(d, row) for d, row in zip(direction, g[name]))
        h = 1e-5
        losses = []
        for side in (h, -h):
            moved = plus(matrix, [[side * d for d in row] for row in direction])
            losses.append(loss_and_gradients({**p, name: moved}, inputs, targets)[0])
        measured = (losses[0] - losses[1]) / (2 * h)
        print(f"gradient of {name:5}along a direction: {expected:13.9f}, by central difference {measured:13.9f}")
        if abs(expected - measured) > 1e-7 * max(1.0, abs(expected)):
            sys.exit(f"The gradient of {name} is wrong.")


def from_microgpt(matrices):
    """microgpt.py's matrices, which are [out x in] and have BOS as the last token, in this program's order."""
    names = {"wq": "attn_wq", "wk": "attn_wk", "wv": "attn_wv", "wo": "attn_wo", "w1": "mlp_fc1", "w2": "mlp_fc2"}

    def bos_first(rows):
        return [list(row) for row in rows[-1:] + rows[:-1]]

    return {
        "wte": bos_first(matrices["wte"]),
        "wpe": [list(row) for row in matrices["wpe"]],
        **{name: transposed(matrices["layer0." + original]) for name, original in names.items()},
        "wout": transposed(bos_first(matrices["lm_head"])),
    }


def largest_difference(a, b):
    assert len(a) == len(b)
    return max(abs(x - y) for x, y in zip(a, b))


def check(path):
    """Losses, and where the trace has them the gradients of step 0 and the final parameters."""
    trace = json.loads(Path(path).read_text(encoding="utf-8"))
    assert trace["config"]["steps"] == STEPS
    p = from_microgpt(trace["init"])
    losses, first = train(p, trace["docs"], "abcdefghijklmnopqrstuvwxyz", len(trace["losses"]))
    for count in sorted({5, KEPT_LOSSES, len(losses)}):
        if count <= len(losses):
            difference = largest_difference(losses[:count], trace["losses"][:count])
            print(f"{count} losses: largest difference {difference:.2e}")
            if difference > 1e-12:
                sys.exit("That is more than 1e-12.")
    for key, mine in (("grad_step0", first), ("final", p)):
        if key in trace:
            print(f"{key}: largest difference {largest_difference(flat(mine), flat(from_microgpt(trace[key]))):.2e}")


def write():
    documents = (FOLDER / LIST).read_text(encoding="utf-8").splitlines()
    vocabulary = sorted(set("".join(documents)))
    p = drawn(len(vocabulary) + 1)
    check_gradients(p, documents[0], vocabulary)
    parameters = flat(p)
    losses, _ = train(p, documents, vocabulary, KEPT_LOSSES)
    trace = {
        "list": LIST,
        "vocabulary": [ord(character) for character in vocabulary],
        "parameters": parameters,
        "losses": losses,
    }
    (FOLDER / TRACE).write_text(json.dumps(trace, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(documents)} documents, {len(vocabulary)} characters, {len(parameters)} parameters")
    print(f"losses {losses[0]:.4f} to {losses[-1]:.4f} written to {TRACE}")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    elif len(sys.argv) == 1:
        write()
    else:
        sys.exit("usage: make-trace.py [--check FILE]")
