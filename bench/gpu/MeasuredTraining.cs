using System.Diagnostics;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu;

/// <summary>The trainer on random weights, prepared as a run prepares a model it has read.</summary>
internal sealed class MeasuredTraining : IDisposable
{
    private readonly LlavaModel _model;
    private readonly Trainer _trainer;

    /// <param name="model">On its device; disposed with this.</param>
    /// <param name="recipe">What learns, and which layers are computed twice.</param>
    public MeasuredTraining(LlavaModel model, TrainingRecipe recipe)
    {
        _model = model;
        if (recipe.Lora is { } lora)
        {
            LoraSetup.Attach(model, recipe, lora, LayerPlacement.On(model.Config, model.Language.Device));
        }

        FrozenWeights.Round(model, recipe);
        _trainer = new(model, recipe, int.MaxValue);
    }

    /// <summary>Weights that keep the size of what passes through them, made where they are needed.</summary>
    public static LlavaModel Model(BenchSettings settings, LlavaConfig config)
    {
        LlavaModel model = new(config);
        model.Place(LayerPlacement.On(config, settings.Device));
        using var mode = no_grad();
        foreach (var (name, value) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            _ = IsNorm(name) ? value.fill_(Scalars.One) : value.normal_(0, 1 / Math.Sqrt(value.shape[^1]));
        }

        return model;
    }

    /// <summary>Whether a parameter is a norm's factors, which are ones in a random model.</summary>
    public static bool IsNorm(string name) => name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal);

    /// <summary>Loss of a step.</summary>
    public double Step(TrainingBatch batch) => _trainer.Step([batch]).Losses[0].Value;

    /// <summary>Seconds of a step, the median after one that warms up, and the last step's loss.</summary>
    public (double Seconds, double Loss) Measure(BenchSettings settings, PartTime time, TrainingBatch batch, int rounds)
    {
        List<double> seconds = [];
        var loss = 0.0;
        for (var round = 0; round <= rounds; round++)
        {
            time.Require();
            settings.Synchronize();
            var start = Stopwatch.GetTimestamp();
            loss = Step(batch);
            settings.Synchronize();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return (seconds.Skip(1).Order().ElementAt(rounds / 2), loss);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        _model.Dispose();
    }
}
