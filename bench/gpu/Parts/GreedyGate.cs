using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>What changes when and by whom tokens are chosen, and how launches reach the device, must not change the tokens, but for the second best where bfloat16 cannot tell it from the best.</summary>
/// <param name="settings">Where.</param>
/// <param name="requests">What is asked; nobody tells the tokens.</param>
/// <param name="slots">Sequences at once.</param>
/// <param name="positions">Positions of the longest sequence.</param>
/// <param name="read">The weights; null makes them up, the same for every form.</param>
internal sealed class GreedyGate(BenchSettings settings, SequenceRequest[] requests, int slots, int positions, Func<string, Tensor>? read = null)
{
    private const int Seed = 1;

    private static readonly CudaOptions Plain = new() { DeviceSampling = false, LateTokens = false, GraphRows = 0 };

    /// <summary>Compares forms with the plain one.</summary>
    /// <param name="lines">Gets a line for each.</param>
    /// <param name="time">Asked before each.</param>
    /// <param name="noise">How near two logits are that cannot be told apart, as a share of a row's size.</param>
    /// <param name="forms">The forms.</param>
    /// <exception cref="InvalidOperationException">A form chooses other tokens.</exception>
    public void Run(BenchLines lines, PartTime time, double noise, IEnumerable<(string Name, CudaOptions Options)> forms)
    {
        Dictionary<SequenceRequest, List<float[]>> logits = new(ReferenceEqualityComparer.Instance);
        var (expected, _) = Tokens(Plain, (sequence, row) =>
        {
            if (!logits.TryGetValue(sequence.Request, out var rows))
            {
                logits.Add(sequence.Request, rows = []);
            }

            rows.Add(row.ToArray());
        });
        foreach (var (form, options) in forms)
        {
            time.Require();
            var ((answers, notice), equal, ties) = (Tokens(options, sampled: null), 0, 0);
            foreach (var ((request, wanted), said) in requests.Zip(expected).Zip(answers))
            {
                var agreeing = wanted.Zip(said).TakeWhile(pair => pair.First == pair.Second).Count();
                equal += agreeing;
                if (agreeing == wanted.Length)
                {
                    continue;
                }

                var row = logits[request][agreeing];
                if (said.Length != wanted.Length || row[wanted[agreeing]] - row[said[agreeing]] > noise * Math.Sqrt(row.Average(logit => (double)logit * logit)))
                {
                    throw new InvalidOperationException($"With {form} an answer's token {agreeing} is {said.ElementAtOrDefault(agreeing)} instead of {wanted[agreeing]}, and it is no tie.");
                }

                ties++;
            }

            lines.Write("greedy", new { Form = form, Tokens = expected.Sum(answer => answer.Length), Equal = equal, Ties = ties, Notice = notice });
        }
    }

    /// <summary>Tokens of every answer, and what the runner had to do without.</summary>
    private (int[][] Answers, string? Notice) Tokens(CudaOptions options, RowSampling.SampledRow? sampled)
    {
        manual_seed(Seed);
        using MeasuredEngine engine = new(settings, settings.Sizes.Checked, options, slots, positions, read);
        engine.Engine.Sampled = sampled;
        var answers = engine.Engine.Answer(requests);
        return engine.Engine.Statistics is { Failed: 0, Notice: var notice }
            ? ([.. answers.Select(answer => answer.Generated.ToArray())], notice)
            : throw new InvalidOperationException($"{engine.Engine.Statistics.Failed} answers failed.");
    }
}
