using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Playground;

/// <summary>What becomes of conversations in the playground.</summary>
public sealed class PlaygroundOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Playground";

    /// <summary>Whether conversations and judgements are written down. Default true.</summary>
    public bool Log { get; set; } = true;

    /// <summary>Folder of the log, one file a day. Default null: the host's data folder, or nowhere.</summary>
    public string? Folder { get; set; }

    /// <summary>Largest file of a day, in bytes; what comes beyond is not written. Default 64 MiB.</summary>
    [Range(1024, 1L << 40)]
    public long MaxBytesPerDay { get; set; } = 64L << 20;
}

[OptionsValidator]
internal sealed partial class PlaygroundOptionsRanges : IValidateOptions<PlaygroundOptions>;
