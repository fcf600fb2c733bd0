using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Llava.EndToEndTests;

/// <summary>kill -9 at random moments of <c>llava train</c>. All kinds of runs with <c>LLAVA_TRAINING_KILLS</c>, as often as it says; otherwise once, the one with the most to remember.</summary>
public sealed class KilledTrainingTests : IDisposable
{
    private const int Steps = 60;
    private const string Adapter = "qlora";

    private static readonly Dictionary<string, JsonObject> Kinds = new(StringComparer.Ordinal)
    {
        ["alignment"] = new() { ["stage"] = "alignment", ["template"] = "plain" },
        ["full"] = [],
        ["lora"] = new() { ["lora"] = new JsonObject { ["rank"] = 8, ["dropout"] = 0.1 } },
        [Adapter] = new() { ["lora"] = new JsonObject { ["rank"] = 8, ["dropout"] = 0.1, ["nf4"] = true } },
    };

    private static readonly int? ManyKills = Environment.GetEnvironmentVariable("LLAVA_TRAINING_KILLS") is { Length: > 0 } kills ? int.Parse(kills, CultureInfo.InvariantCulture) : null;

    private readonly SmallRun _run = new();

    public static TheoryData<string> Chosen => ManyKills is null ? [Adapter] : [.. Kinds.Keys];

    public void Dispose() => _run.Dispose();

    [Theory]
    [MemberData(nameof(Chosen))]
    public async Task A_run_killed_at_random_moments_has_the_losses_and_weights_of_an_undisturbed_one(string kind)
    {
        JsonObject fields = new() { ["max_steps"] = Steps };
        Kinds[kind].ToList().ForEach(field => fields[field.Key] = field.Value?.DeepClone());
        var recipe = _run.Recipe("recipe", fields);
        var clock = Stopwatch.StartNew();
        await _run.TrainAsync(recipe, "undisturbed");
        var whole = clock.Elapsed;

        // A run that ends before its next kill is followed by another, until there were as many.
        var (kills, runs) = (ManyKills ?? 1, 1);
        while (kills > 0)
        {
            using var process = _run.Start(recipe, $"killed-{runs}");
            if (await process.KillAfterAsync(whole * Random.Shared.NextDouble()))
            {
                kills--;
                continue;
            }

            RequireSame($"killed-{runs++}");
        }

        await _run.TrainAsync(recipe, $"killed-{runs}");
        RequireSame($"killed-{runs}");
    }

    private void RequireSame(string output)
    {
        Assert.Equal(Steps, _run.Losses("undisturbed").Count);
        Assert.Equal(_run.Losses("undisturbed"), _run.Losses(output));
        var weights = Weights("undisturbed");
        Assert.NotEmpty(weights);
        Assert.Equal(weights, Weights(output));
    }

    /// <summary>Name and hash of every file of weights.</summary>
    private List<(string File, string Hash)> Weights(string output) =>
    [
        .. Directory.EnumerateFiles(_run.At(output), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".bin" or ".safetensors")
            .Order(StringComparer.Ordinal)
            .Select(file => (Path.GetRelativePath(_run.At(output), file), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))))),
    ];
}
