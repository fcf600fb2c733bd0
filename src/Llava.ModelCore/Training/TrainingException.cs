namespace Llava.ModelCore.Training;

/// <summary>A training run cannot start or go on: the message names the recipe field, the samples or the file, and the next step.</summary>
public class TrainingException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);

/// <summary>A recipe or a data set that was checked in full and found wrong; nothing has been trained.</summary>
/// <param name="subject">What was checked, as the user named it.</param>
/// <param name="findings">Every finding, one sentence each.</param>
public sealed class TrainingValidationException(string subject, IReadOnlyList<string> findings)
    : TrainingException(Describe(subject, findings))
{
    private const int Shown = 20;

    /// <summary>Every finding; the message shows the first twenty.</summary>
    public IReadOnlyList<string> Findings { get; } = findings;

    private static string Describe(string subject, IReadOnlyList<string> findings)
    {
        var shown = string.Join(Environment.NewLine, findings.Take(Shown).Select(finding => "  - " + finding));
        var rest = findings.Count > Shown ? $"{Environment.NewLine}  … and {findings.Count - Shown} more" : "";
        return $"'{subject}' cannot be trained with, {findings.Count} finding{(findings.Count == 1 ? "" : "s")}:{Environment.NewLine}{shown}{rest}";
    }
}
