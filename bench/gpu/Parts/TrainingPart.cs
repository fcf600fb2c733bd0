using System.Text.Json.Nodes;
using Llava.ModelCore.Training;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>
/// Optimizer steps of the first model, with what learns growing from form to form, beside transformers' on as many positions; before them, both sides' losses on the same weights and samples.
/// </summary>
internal sealed class TrainingPart : BenchPart
{
    private const int Rounds = 3;

    // Theirs first, while nothing of ours is on the device.
    private const double ShareOfBaseline = 0.45;

    public override string Name => "training";

    public override int Budget => 65;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        LossCurve.Compare(settings, lines, time);
        var model = settings.Sizes.Models[0];
        MeasureBaseline(settings, lines, model, new(time.Left * ShareOfBaseline));
        foreach (var form in TrainedForm.All(settings))
        {
            time.Require();
            Measure(settings, lines, model, form, time);
        }
    }

    private static void MeasureBaseline(BenchSettings settings, BenchLines lines, BenchModel model, PartTime time)
    {
        var sizes = PythonScript.Sizes(settings, model.Config);
        sizes["forms"] = new JsonArray([.. TrainedForm.All(settings).Select(form => JsonValue.Create(form.Name))]);
        (sizes["samples"], sizes["recompute"]) = (settings.Sizes.TrainedSamples, true);
        (sizes["rank"], sizes["alpha"], sizes["seconds"]) = (settings.Sizes.Rank, 2 * settings.Sizes.Rank, Math.Floor(time.Left));
        try
        {
            PythonScript.Run(settings, PythonScript.Training, sizes, time, figures =>
            {
                figures["model"] = model.Name;
                lines.Write("training baseline", figures);
            });
        }
        catch (PartCutException)
        {
            // Ours has the rest of the time.
        }
    }

    private static void Measure(BenchSettings settings, BenchLines lines, BenchModel model, TrainedForm form, PartTime time)
    {
        settings.GiveBackMemory();
        var (samples, positions) = (settings.Sizes.TrainedSamples, model.PromptPositions(settings.Sizes.Words));
        MemoryPlan plan;
        try
        {
            plan = MemoryPlan.Fit(model.Config, form.Recipe, [.. Enumerable.Repeat(positions, samples)], TrainingDevices.FreeBytes(form.Recipe));
        }
        catch (TrainingException e)
        {
            lines.Write("training that does not fit", new { Model = model.Name, Form = form.Name, e.Message });
            return;
        }

        using MeasuredTraining training = new(MeasuredTraining.Model(settings, model.Config), plan.Recipe);
        var (seconds, loss) = training.Measure(settings, time, new TrainedSamples(model.Config, samples, settings.Sizes.Words, seed: 1).Batch(), Rounds);
        var rate = form.OperationsOf(model.Config, (long)samples * positions) / seconds / 1e12;
        lines.Write("training", new
        {
            Model = model.Name,
            Form = form.Name,
            Samples = samples,
            Positions = positions,
            SamplesPerSecond = samples / seconds,
            TeraflopsPerSecond = rate,
            ShareOfSquareProduct = rate / SquareProduct(lines),
            RecomputedLayers = plan.Recipe.RecomputeLayers,
            EstimatedGigabytes = plan.Estimate.Total / 1e9,
            GigabytesUsed = EnginePart.UsedBytes(settings) / 1e9,
            Loss = loss,
        });
    }

    /// <summary>What the largest product reached in this run; null where it was not measured.</summary>
    private static double? SquareProduct(BenchLines lines) =>
        (double?)lines.Of("product").FirstOrDefault(figures => (string?)figures["product"] == RooflinePart.Square)?["teraflops_per_second"];
}
