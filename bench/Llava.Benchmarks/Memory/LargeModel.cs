using System.Diagnostics;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.Benchmarks.Memory;

/// <summary>
/// LLaVA-1.5 of 7 billion parameters (ViT-L/14 at 336 pixels) with random weights in four bits: how long the saved form takes to open, what the process takes
/// at its peak, and the time of an image and of a token. Writing and measuring are two processes, so that the peak is the reader's alone.
/// </summary>
internal static class LargeModel
{
    private const string Shape = "7b";
    private const QuantizationScheme Scheme = QuantizationScheme.Int4;
    private const int Positions = 1024;

    // What is left on the disk, so that nobody else's work stops.
    private const long SpareBytes = 2L << 30;

    /// <summary>Writes the checkpoint.</summary>
    public static int Write(DirectoryInfo folder)
    {
        var needed = RandomCheckpoint.FileBytes(Shape, Scheme) + SpareBytes;
        folder.Create();
        var free = new DriveInfo(folder.FullName).AvailableFreeSpace;
        if (free < needed)
        {
            Console.Error.WriteLine($"'{folder.FullName}' has {free / 1e9:N1} GB free, and the model needs {needed / 1e9:N1}. Name a folder on a larger disk.");
            return 2;
        }

        var start = Stopwatch.GetTimestamp();
        RandomCheckpoint.Write(folder.FullName, Shape, Scheme, Repository.Path("models", "llava-scenes"));
        Figures.Write("large-model-write", new { Shape, Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, FileBytes = Size(folder), PeakBytes = Peak() });
        return 0;
    }

    /// <summary>Opens it and asks.</summary>
    public static async Task<int> MeasureAsync(DirectoryInfo folder, int tokens, int images)
    {
        // Enough for an image and its answer.
        EngineOptions options = new() { MaxSlots = 1, KvPositions = Positions, FeatureCacheBytes = 64 << 20 };
        var estimate = ModelMemory.Estimate(folder.FullName, options);
        var limits = MachineLimits.Measure(Environment.ProcessorCount);
        var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await using var model = LoadedModel.Load(folder.FullName, options);
        var (opened, computed) = (Stopwatch.GetElapsedTime(start), Environment.CpuUsage.TotalTime - cpu);
        Figures.Write("large-model-open", new { Shape, Scheme = Scheme.Word(), FileBytes = Size(folder), Seconds = opened.TotalSeconds, CpuSeconds = computed.TotalSeconds, PeakBytes = Peak(), EstimatedBytes = estimate.Total });

        // The first step reads the pages of the file.
        start = Stopwatch.GetTimestamp();
        await model.AnswerAsync(new Question { Text = "Hello", Sampling = new SamplingSettings { MaxNewTokens = 1 } });
        var first = Stopwatch.GetElapsedTime(start);
        List<(double Tower, double Prefill, double Token)> asked = [];
        for (var i = 1; i <= images; i++)
        {
            asked.Add(await AskAsync(model, i, tokens));
        }

        var token = Median(asked.Select(one => one.Token));
        Figures.Write("large-model", new
        {
            Shape,
            Scheme = Scheme.Word(),
            Positions,
            PeakBytes = Peak(),
            FirstStepSeconds = first.TotalSeconds,
            VisionTowerMs = 1000 * Median(asked.Select(one => one.Tower)),
            PrefillMs = 1000 * Median(asked.Select(one => one.Prefill)),
            TokenMs = 1000 * token,
            limits.BytesPerSecond,
            ShareOfBandwidth = RandomCheckpoint.StepBytes(Shape, Scheme) / token / limits.BytesPerSecond,
            LoadAfter = Figures.LoadAverage(),
        });
        return 0;
    }

    private static async Task<(double Tower, double Prefill, double Token)> AskAsync(LoadedModel model, int scene, int tokens)
    {
        var image = ScenePixels.Png(Scene.FromSeed(scene, maxObjects: 3), 336);
        var start = Stopwatch.GetTimestamp();
        await model.EmbedAsync(image);
        var tower = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var question = model.Prepare(new Question { Text = "What is in the image?", Images = [image], Sampling = new SamplingSettings { MaxNewTokens = tokens, MinNewTokens = tokens } });
        var answer = (await model.AnswerAsync(question)).Sequence;
        return (tower, answer.Timings.Prefill.TotalSeconds, answer.Timings.Decode.TotalSeconds / (answer.Usage.CompletionTokens - 1));
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;

    private static long Size(DirectoryInfo folder) => folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>The most that the process had in memory, mapped files included.</summary>
    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
