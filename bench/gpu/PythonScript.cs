using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Llava.ModelCore.Checkpoints;

namespace Llava.Benchmarks.Gpu;

/// <summary>One of the scripts that measure Hugging Face's transformers in a process of their own.</summary>
internal static class PythonScript
{
    /// <summary>The script of answers.</summary>
    public const string Answers = "baseline.py";

    /// <summary>The script of training.</summary>
    public const string Training = "baseline_training.py";

    /// <summary>Where a script measures, and a model's sizes, as it takes them.</summary>
    public static JsonObject Sizes(BenchSettings settings, LlavaConfig config)
    {
        var (language, vision) = (config.LanguageModel, config.Vision!);
        return new()
        {
            ["device"] = settings.Device.type == TorchSharp.DeviceType.CUDA ? settings.Device.ToString() : "cpu",
            ["hidden"] = language.HiddenSize, ["layers"] = language.Layers, ["heads"] = language.Heads, ["kv_heads"] = language.KeyValueHeads,
            ["intermediate"] = language.IntermediateSize, ["vocabulary"] = language.VocabularySize,
            ["vision_hidden"] = vision.HiddenSize, ["vision_intermediate"] = vision.IntermediateSize, ["vision_layers"] = vision.Layers, ["vision_heads"] = vision.Heads,
            ["image"] = vision.ImageSize, ["patch"] = vision.PatchSize, ["words"] = settings.Sizes.Words, ["rounds"] = 3,
        };
    }

    /// <summary>Runs a script to its end, or to the end of its time. Nothing where there is no Python.</summary>
    /// <param name="settings">Python, and the device that is made free for it.</param>
    /// <param name="script">File of the script.</param>
    /// <param name="sizes">Its argument.</param>
    /// <param name="time">When it is over, the script is ended.</param>
    /// <param name="line">Given each line that it prints.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    /// <exception cref="PartCutException">Its time was over.</exception>
    public static void Run(BenchSettings settings, string script, JsonObject sizes, PartTime time, Action<JsonObject> line)
    {
        if (settings.Python is null)
        {
            return;
        }

        settings.GiveBackMemory();
        using var process = Process.Start(new ProcessStartInfo(settings.Python, [Path.Combine(AppContext.BaseDirectory, script), sizes.ToJsonString()]) { RedirectStandardOutput = true })!;
        using Timer end = new(_ => process.Kill(entireProcessTree: true), null, TimeSpan.FromSeconds(time.Left), Timeout.InfiniteTimeSpan);
        while (process.StandardOutput.ReadLine() is { } printed)
        {
            line(JsonNode.Parse(printed)!.AsObject());
        }

        process.WaitForExit();
        time.Require();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The baseline ended with exit code {process.ExitCode}; what it said is on standard error."));
        }
    }
}
