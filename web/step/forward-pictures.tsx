import { Bar, format, Heat, Num } from "./numbers";
import { difference, layerOf, rowOf, softmax, type View } from "./view";

/* The pictures of the forward pass. */

/** Units of the MLP that are drawn one by one. */
const MAX_UNITS = 256;
/** The likeliest tokens that are listed. */
const MAX_TOKENS = 6;

export function Tokens({ document, characters }: View) {
  const { tokens, kept } = document;
  return (
    <>
      <p>
        A letter is a number for the model, its <strong>token</strong>. {characters.symbolOf(0)} is token 0: it begins
        and ends every word. At each position the model has to say which token comes next.
      </p>
      <ol class="tokens" dir={characters.direction}>
        {Array.from(tokens.subarray(0, kept), (token, t) => (
          <li key={t} dir="ltr">
            <b>{characters.symbolOf(token)}</b>
            <span>
              token <Num value={token} digits={0} />
            </span>
            <span>next: {characters.nextOf(tokens[t + 1] ?? 0)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

export function Embedding({ recording, document, characters, position }: View) {
  const { n, rmsNorm } = recording.shape;
  const token = document.tokens[position] ?? 0;
  const ofToken = rowOf(document.tokenRows, position, n);
  const ofPosition = rowOf(document.positionRows, position, n);
  const sum = rowOf(document.embedding, position, n);
  const normed = rmsNorm && document.layers[0] ? rowOf(document.layers[0].x, position, n) : undefined;
  return (
    <>
      <p>
        The model has {n} numbers for each token and {n} for each position, its <strong>embeddings</strong>. It adds the
        two rows; from here on, x is all that it knows at this position.
        {normed && " Then it scales x to an even size (RMSNorm)."}
      </p>
      <p class="formula">
        x = wte[{token}] + wpe[{position}]
      </p>
      <Heat
        label="Embeddings"
        rows={[
          { name: `wte[${token}], ${characters.symbolOf(token)}`, values: ofToken },
          { name: `wpe[${position}]`, values: ofPosition },
          { name: "x, their sum", values: sum },
          ...(normed ? [{ name: "x, scaled", values: normed }] : []),
        ]}
        reading={({ column }) => (
          <>
            column {column}: <Num value={ofToken[column] ?? NaN} /> + <Num value={ofPosition[column] ?? NaN} /> ={" "}
            <Num value={sum[column] ?? NaN} />
          </>
        )}
      />
    </>
  );
}

export function Attention(view: View) {
  const { recording, document, characters, position, head, chooseHead } = view;
  const layer = layerOf(view);
  if (!layer) return <TooLarge />;
  const { n, heads } = recording.shape;
  const d = n / heads;
  const part = (matrix: typeof layer.q, t: number): Float64Array =>
    rowOf(matrix, t, n).subarray(head * d, (head + 1) * d);
  const q = part(layer.q, position);
  const size = (document.kept * (document.kept + 1)) / 2;
  const first = head * size + (position * (position + 1)) / 2;
  const seen = Array.from(document.tokens.subarray(0, position + 1), (token, s) => {
    const k = part(layer.k, s);
    const product = q.reduce((sum, x, i) => sum + x * (k[i] ?? NaN), 0) / Math.sqrt(d);
    const bias = layer.bias?.[head * document.kept + position - s];
    return { s, token, k, v: part(layer.v, s), product, bias, p: layer.p[first + s] ?? NaN };
  });
  const nameOf = (name: string, { s, token }: (typeof seen)[number]): string =>
    `${name}[${s}], ${characters.symbolOf(token)}`;
  return (
    <>
      <p>
        This head makes a <strong>query</strong> q of the letter here, and a <strong>key</strong> k and a{" "}
        <strong>value</strong> v of each letter so far. The better a key fits the query, the larger its share of the
        mix.
      </p>
      <label class="choice">
        <span>Head</span>
        <select name="head" value={head} onChange={({ currentTarget }) => chooseHead(Number(currentTarget.value))}>
          {Array.from({ length: heads }, (_, i) => (
            <option key={i} value={i}>
              {i + 1} of {heads}
            </option>
          ))}
        </select>
      </label>
      <p class="formula">
        score = q·k/√{d}
        {layer.bias && " + bias"}, p = softmax(scores), mix = Σ p·v
      </p>
      <div class="beside attention">
        <table class="scores">
          <thead>
            <tr>
              <th scope="col">looks at</th>
              <th scope="col">q·k/√{d}</th>
              {layer.bias && <th scope="col">bias</th>}
              {layer.bias && <th scope="col">score</th>}
              <th scope="col">share p</th>
            </tr>
          </thead>
          <tbody>
            {seen.map(({ s, token, product, bias, p }) => (
              <tr key={s}>
                <th scope="row">{characters.symbolOf(token)}</th>
                <td class={bias === undefined ? "score" : ""}>
                  <Num value={product} />
                </td>
                {bias !== undefined && (
                  <td>
                    <Num value={bias} />
                  </td>
                )}
                {bias !== undefined && (
                  <td class="score">
                    <Num value={product + bias} />
                  </td>
                )}
                <td class="p">
                  <Bar share={p} />
                  <Num value={p} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <Heat
          label="Query and keys"
          rows={[
            { name: `q[${position}]`, values: q },
            ...seen.map((one) => ({ name: nameOf("k", one), values: one.k })),
          ]}
        />
        <Heat
          label="Values and their mix"
          rows={[
            ...seen.map((one) => ({ name: nameOf("v", one), values: one.v })),
            { name: "mix", values: part(layer.attention, position) },
          ]}
        />
      </div>
    </>
  );
}

export function Residual(view: View) {
  const { recording, position } = view;
  const layer = layerOf(view);
  if (!layer) return <TooLarge />;
  const { n, heads } = recording.shape;
  const x = rowOf(layer.x, position, n);
  const middle = rowOf(layer.middle, position, n);
  const added = difference(middle, x);
  return (
    <>
      <p>
        The mixes of all {heads} heads, side by side, go through the matrix wo, and the result is <em>added</em> to x.
        Nothing is overwritten: this running sum is the <strong>residual stream</strong>.
      </p>
      <p class="formula">x = x + mixes·wo</p>
      <Heat label="The mixes of the heads" rows={[{ name: "mixes", values: rowOf(layer.attention, position, n) }]} />
      <Sum label="The residual stream" before={x} added={added} after={middle} name="mixes·wo" />
    </>
  );
}

export function Mlp(view: View) {
  const { recording, position } = view;
  const layer = layerOf(view);
  if (!layer) return <TooLarge />;
  const { n, hidden } = recording.shape;
  const units = rowOf(layer.hidden, position, hidden);
  const silent = units.reduce((count, unit) => count + Number(unit === 0), 0);
  const largest = units.reduce((most, unit) => Math.max(most, unit), Number.MIN_VALUE);
  const middle = rowOf(layer.middle, position, n);
  const output = rowOf(layer.output, position, n);
  return (
    <>
      <p>
        The <strong>MLP</strong> looks at this position alone. Each of its {hidden} units weighs the numbers of x; a sum
        below 0 becomes 0 (ReLU). <data value={silent}>{silent}</data> units are silent here: they add nothing, and
        learn nothing from this letter.
      </p>
      <p class="formula">h = max(0, x·w1), x = x + h·w2</p>
      {hidden <= MAX_UNITS ? (
        <ol class="units" aria-label={`Units, ${silent} of ${hidden} silent`}>
          {Array.from(units, (unit, i) => (
            <li key={i} class={unit === 0 ? "silent" : ""} title={`unit ${i}: ${format(unit)}`}>
              <span style={{ height: `${(100 * unit) / largest}%` }} />
              <data class="hidden" value={String(unit)}>
                {format(unit)}
              </data>
            </li>
          ))}
        </ol>
      ) : (
        <Heat label="Units" unit="unit" rows={[{ name: "h", values: units }]} />
      )}
      <Sum label="The residual stream" before={middle} added={difference(output, middle)} after={output} name="h·w2" />
    </>
  );
}

interface SumProps {
  readonly label: string;
  readonly before: ArrayLike<number>;
  readonly added: ArrayLike<number>;
  readonly after: ArrayLike<number>;
  /** Of what is added. */
  readonly name: string;
}

/** What is added to the residual stream. */
function Sum({ label, before, added, after, name }: SumProps) {
  return (
    <Heat
      label={label}
      rows={[
        { name: "x before", values: before },
        { name, values: added },
        { name: "x after", values: after },
      ]}
      reading={({ column }) => (
        <>
          column {column}: <Num value={before[column] ?? NaN} /> + <Num value={added[column] ?? NaN} /> ={" "}
          <Num value={after[column] ?? NaN} />
        </>
      )}
    />
  );
}

export function Logits({ recording, document, characters, position }: View) {
  const { vocabulary } = recording.shape;
  const { tokens, losses, loss, rows, kept } = document;
  const row = rowOf(document.logits, position, vocabulary);
  const p = softmax(row);
  const target = tokens[position + 1] ?? 0;
  const likeliest = Array.from(p.keys()).sort((a, b) => (p[b] ?? 0) - (p[a] ?? 0));
  const listed = likeliest.slice(0, MAX_TOKENS);
  if (!listed.includes(target)) listed.push(target);
  const most = Math.max(...losses);
  return (
    <>
      <p>
        One <strong>logit</strong> for each token says how well it would fit; the <strong>softmax</strong> makes
        probabilities of them. The <strong>loss</strong> is −ln of the probability of what really came: 0 would be
        perfect, blind guessing has {format(Math.log(vocabulary), 2)}.
      </p>
      <p class="formula">logits = x·wout, p = softmax(logits), loss = −ln p[{characters.nextOf(target)}]</p>
      <div class="beside">
        <table class="likeliest">
          <caption>Next after position {position}</caption>
          <thead>
            <tr>
              <th scope="col">token</th>
              <th scope="col">logit</th>
              <th scope="col">p</th>
            </tr>
          </thead>
          <tbody>
            {listed.map((token) => (
              <tr key={token} class={token === target ? "chosen" : ""}>
                <th scope="row">
                  {characters.nextOf(token)}
                  {token === target && " ← came"}
                </th>
                <td>
                  <Num value={row[token] ?? NaN} />
                </td>
                <td>
                  <Bar share={p[token] ?? 0} />
                  <Num value={p[token] ?? NaN} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <table class="losses">
          <caption>The loss of each letter</caption>
          <tbody>
            {Array.from(losses.subarray(0, kept), (each, t) => (
              <tr key={t} class={t === position ? "chosen" : ""}>
                <th scope="row">
                  <bdi>{characters.symbolOf(tokens[t] ?? 0)}</bdi> → <bdi>{characters.nextOf(tokens[t + 1] ?? 0)}</bdi>
                </th>
                <td>
                  <Bar share={each / most} />
                  <Num value={each} />
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">mean{rows > kept && ` of all ${rows}`}</th>
              <td>
                <Num value={loss} id="document-loss" />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      <p>
        {recording.documentCount > 1 &&
          `The step has ${recording.documentCount} words; the mean over ${recording.weighs === "tokens" ? "all their letters" : "them"} is its loss: `}
        {recording.documentCount === 1 && "This mean is the loss of the step, a point of the curve: "}
        <Num value={recording.loss} id="step-loss" />
      </p>
    </>
  );
}

function TooLarge() {
  return (
    <p class="muted">
      This layer is too large to be shown with the others: it will be recorded with the next step, as it is chosen now.
    </p>
  );
}
