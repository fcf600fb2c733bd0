using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.GpuConsumer;

/// <summary>What a consumer serves and how much it takes at a time.</summary>
public sealed class ConsumerOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Consumer";

    /// <summary>Models to answer for. Default none.</summary>
    public IList<string> Models { get; set; } = [];

    /// <summary>Whether models are loaded at the start, in the order in which they are named, as long as they fit together; otherwise each when it is first asked for. Default true.</summary>
    public bool Preload { get; set; } = true;

    /// <summary>Bytes that loaded models may take together: weights, KV caches and work. Default 0: four fifths of what is free at the start, by the machine and the control group.</summary>
    [Range(0, long.MaxValue)]
    public long MemoryBudget { get; set; }

    /// <summary>How long a loaded model that has work keeps another waiting that does not fit beside it. Default 1 minute; 0 changes after every chunk.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "10:00:00")]
    public TimeSpan Turn { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long an engine may have work and take no step before this worker counts as not ready. Default 2 minutes: the longest step of a large model on a slow machine is seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "10:00:00")]
    public TimeSpan StallAfter { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Chunks of each model in work at the same time; as many are fetched, of which up to a third are kept for the first chunks of jobs. Default:
    /// enough for twice the model's slots and no more, so that the engine never waits and no worker holds what another could begin.
    /// </summary>
    [Range(1, 1024)]
    public int? ConcurrentChunks { get; set; }

    /// <summary>How often this worker says that it lives. Default 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a chunk whose infrastructure failed is tried again before it is given back. Default 8, which with growing pauses lasts about half a minute.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 8;

    /// <summary>First pause between tries; each is longer than the one before. Default 200 milliseconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.0010000", "00:01:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest pause between tries. Default 8 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.0010000", "00:10:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(8);
}

[OptionsValidator]
internal sealed partial class ConsumerOptionsRanges : IValidateOptions<ConsumerOptions>;

internal sealed class ConsumerOptionsRules : IValidateOptions<ConsumerOptions>
{
    public ValidateOptionsResult Validate(string? name, ConsumerOptions options) =>
        options.Models.Count == 0
            ? ValidateOptionsResult.Fail("Llava:Consumer:Models is empty; name at least one model to serve.")
            : options.LongestPause < options.FirstPause
                ? ValidateOptionsResult.Fail($"Llava:Consumer:LongestPause is {options.LongestPause} and Llava:Consumer:FirstPause is {options.FirstPause}; the longest cannot be the shorter one.")
                : ValidateOptionsResult.Success;
}
