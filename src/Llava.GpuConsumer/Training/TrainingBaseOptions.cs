using System.Text.RegularExpressions;
using Llava.ModelCore.Prompts;
using Microsoft.Extensions.Options;

namespace Llava.GpuConsumer.Training;

/// <summary>What a LLaVA is made of: a plain language model and a vision tower, with a new projector between them.</summary>
public sealed class TrainingBaseOptions
{
    /// <summary>Folder of the plain language model.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Folder of the CLIP tower.</summary>
    public string VisionTower { get; set; } = "";

    /// <summary><c>linear</c> or <c>mlpNx_gelu</c>. Default <c>mlp2x_gelu</c>, as LLaVA 1.5.</summary>
    public string ProjectorType { get; set; } = "mlp2x_gelu";

    /// <summary>Conversation template with which it is asked, and tuned next. Default <c>v1</c>, Vicuna's.</summary>
    public string Template { get; set; } = "v1";
}

/// <summary>What the ranges of <see cref="TrainingOptions"/> cannot say.</summary>
internal sealed partial class TrainingOptionsRules : IValidateOptions<TrainingOptions>
{
    public ValidateOptionsResult Validate(string? name, TrainingOptions options)
    {
        List<string> findings = [.. Bases(options)];
        if (options.Processes > 1 && options.Device.Contains(':', StringComparison.Ordinal))
        {
            findings.Add($"{TrainingOptions.SectionName}:Device is '{options.Device}' with {options.Processes} processes, each of which takes a card of its own; give 'cuda', or 'cpu'.");
        }

        return findings.Count > 0 ? ValidateOptionsResult.Fail(findings) : ValidateOptionsResult.Success;
    }

    private static IEnumerable<string> Bases(TrainingOptions options)
    {
        var templates = ConversationTemplates.All().Select(template => template.Name).ToList();
        foreach (var (name, made) in options.Bases.Where(_ => options.Enabled))
        {
            var section = $"{TrainingOptions.SectionName}:Bases:{name}";
            if (!name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_'))
            {
                yield return $"{section} is no name for a base; give letters, digits, dots, dashes and underscores.";
            }

            if (!Directory.Exists(made.Folder))
            {
                yield return $"{section}:Folder is '{made.Folder}'; name the folder of a plain language model.";
            }

            if (!Directory.Exists(made.VisionTower))
            {
                yield return $"{section}:VisionTower is '{made.VisionTower}'; name the folder of a CLIP tower.";
            }

            if (!templates.Contains(made.Template))
            {
                yield return $"{section}:Template is '{made.Template}'; give one of {string.Join(", ", templates)}.";
            }

            if (made.ProjectorType != "linear" && !MultiLayer().IsMatch(made.ProjectorType))
            {
                yield return $"{section}:ProjectorType is '{made.ProjectorType}'; give 'linear' or 'mlpNx_gelu', for example 'mlp2x_gelu'.";
            }
        }
    }

    [GeneratedRegex(@"^mlp[1-9]\d*x_gelu$")]
    private static partial Regex MultiLayer();
}
