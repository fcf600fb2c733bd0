using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.OpenAi;

/// <summary>How strict the OpenAI-compatible API is.</summary>
public sealed class OpenAiOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:OpenAi";

    /// <summary>Whether a field that a request's body has and this server does not know is refused, for tests of clients. Default false: it is passed over, as OpenAI's libraries add fields every few weeks.</summary>
    public bool Strict { get; set; }

    /// <summary>Deepest nesting of a request's JSON. Default 64.</summary>
    [Range(8, 1000)]
    public int MaxDepth { get; set; } = 64;
}

[OptionsValidator]
internal sealed partial class OpenAiOptionsRanges : IValidateOptions<OpenAiOptions>;
