using System.Diagnostics;
using Llava.ModelCore.Engine.Cuda;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>How long somebody waits for a token of the first model where few ask at once, with and without graphs.</summary>
internal sealed class InteractivePart : BenchPart
{
    // A shape is recorded at its third step.
    private const int WarmUp = 5;

    public override string Name => "interactive";

    public override int Budget => 15;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var (model, sizes) = (settings.Sizes.Models[0], settings.Sizes);
        var (most, context, tokens) = (sizes.InteractiveBatches.Max(), model.PromptPositions(sizes.Words), WarmUp + sizes.InteractiveSteps + sizes.InteractiveBatches.Max());
        foreach (var graphRows in settings.Open is null ? (int[])[0] : [0, new CudaOptions().GraphRows])
        {
            time.Require();
            using MeasuredEngine engine = new(settings, model.Config, new() { GraphRows = graphRows }, most, context + tokens);
            foreach (var sequences in sizes.InteractiveBatches)
            {
                time.Require();
                lines.Write(Name, new
                {
                    Model = model.Name,
                    Sequences = sequences,
                    Context = context,
                    GraphRows = graphRows,
                    MillisecondsPerToken = Milliseconds(settings, engine, sequences, context, tokens),
                    engine.Engine.Statistics.Notice,
                });
            }
        }
    }

    /// <summary>Milliseconds of a step in which all sequences get a token.</summary>
    private static double Milliseconds(BenchSettings settings, MeasuredEngine engine, int sequences, int context, int tokens)
    {
        engine.Engine.Fill(sequences, context, tokens);
        Steps(WarmUp);
        var seconds = Steps(settings.Sizes.InteractiveSteps);
        engine.Engine.Clear();
        return 1e3 * seconds / settings.Sizes.InteractiveSteps;

        double Steps(int count)
        {
            settings.Synchronize();
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                engine.Engine.Step();
            }

            settings.Synchronize();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
