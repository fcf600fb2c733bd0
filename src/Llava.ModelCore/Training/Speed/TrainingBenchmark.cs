using System.Diagnostics;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Speed;

/// <summary>
/// Optimizer steps of a language model with random weights, in turn as a plain autograd loop and layer by layer, without and with recomputation: whatever else
/// the machine does meets all of them alike.
/// </summary>
/// <param name="settings">What is measured.</param>
public sealed class TrainingBenchmark(TrainingBenchmarkSettings settings)
{
    private const int GemmSide = 1024;
    private const int GemmRounds = 9;

    /// <summary>Measures.</summary>
    public TrainingFigures Run()
    {
        TorchLibrary.EnsureLoaded();
        var batch = RandomWork.Batch(settings);
        var config = new LlavaConfig { LanguageModel = settings.Model };
        var layers = settings.Model.Layers;
        List<TrainingForm> forms = [new("plain autograd", null), new("layer by layer", 0), new("layer by layer, recomputed", layers - 1)];
        var contenders = forms.ConvertAll(form => new Contender(config, settings, form, batch));
        try
        {
            // The first step makes the gradients and warms up.
            contenders.ForEach(one => one.Step());
            var times = contenders.ConvertAll(_ => new List<(double Wall, double Cpu)>());
            for (var round = 0; round < settings.Rounds; round++)
            {
                foreach (var (i, one) in contenders.Index())
                {
                    var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                    one.Step();
                    times[i].Add((Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds));
                }
            }

            var floats = 6.0 * ModelParameters.OfLanguageModel(settings.Model).Where(parameter => parameter.Name.EndsWith("_proj.weight", StringComparison.Ordinal)).Sum(parameter => parameter.Shape[0] * (double)parameter.Shape[1]) * settings.Tokens;
            var peak = PeakProducts();
            return new(settings.Tokens, settings.Length, settings.Rounds, get_num_threads(), peak / 1e9, [.. contenders.Select((one, i) => Figures(one, times[i], floats, peak))]);
        }
        finally
        {
            contenders.ForEach(one => one.Dispose());
        }
    }

    private FormFigures Figures(Contender one, List<(double Wall, double Cpu)> times, double floats, double peak)
    {
        var wall = times.Select(time => time.Wall).Order().ElementAt(times.Count / 2);
        var cpu = times.Select(time => time.Cpu).Order().ElementAt(times.Count / 2);
        return new()
        {
            Form = one.Form.Name,
            TokensPerSecond = settings.Tokens / wall,
            TokensPerCpuSecond = settings.Tokens / cpu,
            GemmShare = floats / wall / peak,
            PeakBytes = PeakMemory.Of(one.Step) + one.StaticBytes,
            EstimatedBytes = one.Form.Recomputed is { } recomputed
                ? MemoryEstimate.Of(one.Config, one.Recipe, [.. Enumerable.Repeat(settings.Length, settings.Tokens / settings.Length)], recomputed).Total
                : null,
        };
    }

    /// <summary>Floating-point operations a second of torch's product of square matrices, the best of several.</summary>
    private double PeakProducts()
    {
        using var scope = NewDisposeScope();
        var type = settings.Precision == TrainingPrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;
        var (a, b) = (randn(GemmSide, GemmSide).to(type), randn(GemmSide, GemmSide).to(type));
        var best = double.PositiveInfinity;
        for (var round = 0; round < GemmRounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            a.mm(b).Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * GemmSide * GemmSide * GemmSide / best;
    }

    /// <param name="Name">For people.</param>
    /// <param name="Recomputed">Layers that are computed twice; null for plain autograd.</param>
    private sealed record TrainingForm(string Name, int? Recomputed);

    /// <summary>A model that trains in one of the forms.</summary>
    private sealed class Contender : IDisposable
    {
        private readonly LlavaModel _model;
        private readonly Trainer _trainer;
        private readonly PlainAutograd _plain;
        private readonly TrainingBatch _batch;

        public Contender(LlavaConfig config, TrainingBenchmarkSettings settings, TrainingForm form, TrainingBatch batch)
        {
            (Config, Form, _batch) = (config, form, batch);
            Recipe = new TrainingRecipe { Stage = TrainingStage.InstructionTuning, LearningRate = RandomWork.NoRate, WarmupRatio = 0, Precision = settings.Precision, RecomputeLayers = form.Recomputed ?? 0 };
            _model = RandomWork.Model(config);
            _trainer = new(_model, Recipe, int.MaxValue);
            _plain = new(_model);
        }

        public LlavaConfig Config { get; }

        public TrainingRecipe Recipe { get; }

        public TrainingForm Form { get; }

        /// <summary>What is there all the time: weights and moments, and in the plain loop gradients, which its optimizer keeps.</summary>
        public long StaticBytes => _model.parameters().Sum(parameter => parameter.numel() * 4) + _trainer.Optimizer.State.Sum(state => state.Value.numel() * 4)
            + (Form.Recomputed is null ? _trainer.Optimizer.Parameters.Sum(parameter => parameter.Value.numel() * 4) : 0);

        public void Step()
        {
            if (Form.Recomputed is not null)
            {
                _trainer.Step([_batch]);
                return;
            }

            _trainer.Optimizer.ClearGradients();
            _plain.Accumulate(_batch, 1);
            _trainer.Update();
        }

        public void Dispose()
        {
            _trainer.Dispose();
            _model.Dispose();
        }
    }
}

/// <summary>What <see cref="TrainingBenchmark"/> measures.</summary>
public sealed record TrainingBenchmarkSettings
{
    /// <summary>Sizes of the model.</summary>
    public required LanguageModelConfig Model { get; init; }

    /// <summary>Tokens of a step; a multiple of <see cref="Length"/>.</summary>
    public int Tokens { get; init; } = 2048;

    /// <summary>Tokens of a sample.</summary>
    public int Length { get; init; } = 512;

    /// <summary>Steps of which the median counts.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Type matrix products are computed in.</summary>
    public TrainingPrecision Precision { get; init; } = TrainingPrecision.Bf16;
}

/// <summary>What came of it.</summary>
/// <param name="Tokens">Tokens of a step.</param>
/// <param name="Length">Tokens of a sample.</param>
/// <param name="Rounds">Steps of which the median counts.</param>
/// <param name="Threads">Threads of torch.</param>
/// <param name="GemmGflops">What torch's product of two 1024 × 1024 matrices reached here.</param>
/// <param name="Forms">The plain loop, then ours.</param>
public sealed record TrainingFigures(int Tokens, int Length, int Rounds, int Threads, double GemmGflops, IReadOnlyList<FormFigures> Forms);

/// <summary>One form of the step.</summary>
public sealed record FormFigures
{
    /// <summary>How it is computed.</summary>
    public required string Form { get; init; }

    /// <summary>By the clock.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>By the processor time of all threads.</summary>
    public required double TokensPerCpuSecond { get; init; }

    /// <summary>Six operations for each weight of the layers and each token, whatever was computed twice, by the product's speed.</summary>
    public required double GemmShare { get; init; }

    /// <summary>Weights, moments and all that a step takes on top at its peak; null where the system does not tell.</summary>
    public required long? PeakBytes { get; init; }

    /// <summary>What the trainer would have said before; null for plain autograd.</summary>
    public required long? EstimatedBytes { get; init; }
}
