using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Llava.Benchmarks.Gpu.Parts;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.HuggingFace;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Models;
using Llava.ModelCore.Training;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu;

/// <summary>Losses of a few optimizer steps on the same weights and samples by both sides, all weights learning: speed means nothing where these part.</summary>
internal static class LossCurve
{
    private const double Rate = 3e-4;

    // Seen again and again, so that there is something to learn.
    private const int Batches = 2;

    /// <summary>Trains on both sides and writes the losses.</summary>
    public static void Compare(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var scratch = Directory.CreateTempSubdirectory("llava-loss-curve-");
        try
        {
            var folder = Write(settings.Sizes.Learned, scratch.FullName);
            List<TrainedSamples> steps = [.. Enumerable.Range(1, settings.Sizes.LearnedSteps).Select(step => new TrainedSamples(settings.Sizes.Learned, settings.Sizes.TrainedSamples, settings.Sizes.Words, seed: step % Batches))];
            var ours = Ours(settings, folder, steps);
            double[]? theirs = null;
            PythonScript.Run(settings, PythonScript.Training, Script(settings, folder, steps, scratch.FullName), time, printed => theirs = [.. printed["losses"]!.AsArray().Select(loss => (double)loss!)]);
            lines.Write("training losses", new { Ours = ours, Theirs = theirs, WorstRelativeDifference = theirs is null ? null : (double?)ours.Zip(theirs).Max(pair => Math.Abs(pair.First - pair.Second) / pair.Second) });
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>Random weights in llava-hf's layout, whose vocabulary has rows for images and padding; both sides read them.</summary>
    private static string Write(LlavaConfig config, string scratch)
    {
        var (original, folder) = (Path.Combine(scratch, "original"), Path.Combine(scratch, "hf"));
        RandomWeights weights = new(config);
        LlavaCheckpointWriter.Write(original, config, Read, new CheckpointWriteOptions { StorageType = ScalarType.BFloat16, VisionTower = VisionTowerPlacement.Inside });
        using var checkpoint = CheckpointFolder.Open(original);
        CheckpointConversion.ToHuggingFace(checkpoint, folder);
        return folder;

        Tensor Read(string name)
        {
            var drawn = weights.Read(name);
            return MeasuredTraining.IsNorm(name) ? ones_like(drawn) : drawn;
        }
    }

    private static double[] Ours(BenchSettings settings, string folder, IReadOnlyList<TrainedSamples> steps)
    {
        using var checkpoint = CheckpointFolder.Open(folder);
        var model = LlavaModelLoader.Load(checkpoint);
        model.Place(LayerPlacement.On(model.Config, settings.Device));
        using MeasuredTraining training = new(model, new TrainingRecipe { Stage = TrainingStage.InstructionTuning, LearningRate = Rate, WarmupRatio = 0, Schedule = ModelCore.Training.Optimizers.LearningRateShape.Constant });
        return [.. steps.Select(samples => training.Step(samples.Batch()))];
    }

    private static JsonObject Script(BenchSettings settings, string folder, IReadOnlyList<TrainedSamples> steps, string scratch)
    {
        var pixels = Path.Combine(scratch, "pixels");
        using (var file = File.Create(pixels))
        {
            foreach (var picture in steps.SelectMany(samples => samples.Pixels))
            {
                file.Write(MemoryMarshal.AsBytes<float>(picture));
            }
        }

        var sizes = PythonScript.Sizes(settings, settings.Sizes.Learned);
        (sizes["folder"], sizes["pixels"], sizes["rate"], sizes["recompute"]) = (folder, pixels, Rate, false);
        sizes["ids"] = Numbers(row => row.Words);
        sizes["labels"] = Numbers(row => row.Labels);
        return sizes;

        JsonArray Numbers(Func<(int[] Words, int[] Labels), int[]> of) =>
            [.. steps.Select(samples => new JsonArray([.. samples.Rows.Select(row => new JsonArray([.. of(row).Select(number => JsonValue.Create(number))]))]))];
    }
}
