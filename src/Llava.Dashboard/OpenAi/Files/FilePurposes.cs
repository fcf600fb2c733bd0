using System.Collections.Frozen;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary>What files may be for. OpenAI's libraries fail at a word they do not know, even in a list of other people's files.</summary>
internal static class FilePurposes
{
    /// <summary>The purpose of the input of a batch.</summary>
    public const string Batch = "batch";

    /// <summary>The purpose of the output and of the errors of a batch.</summary>
    public const string BatchOutput = "batch_output";

    private static readonly FrozenSet<string> Senders = ["assistants", Batch, "evals", "fine-tune", "user_data", "vision"];

    private static readonly FrozenSet<string> All = [.. Senders, "assistants_output", BatchOutput, "fine-tune-results"];

    /// <summary>What senders may say a file is for.</summary>
    public static IReadOnlyList<string> OfSenders { get; } = [.. Senders.Order(StringComparer.Ordinal)];

    /// <summary>The purpose of a file that somebody sends.</summary>
    /// <exception cref="OpenAiException">It is missing, or no file may be sent for it.</exception>
    public static string Sent(string? purpose) => Require(purpose, Senders);

    /// <summary>The purpose of files that are looked for; null for all.</summary>
    /// <exception cref="OpenAiException">There is no such purpose.</exception>
    public static string? Listed(string? purpose) => string.IsNullOrEmpty(purpose) ? null : Require(purpose, All);

    private static string Require(string? purpose, FrozenSet<string> allowed) =>
        purpose is null ? throw OpenAiException.Invalid("missing_required_parameter", $"'purpose' is missing; give one of {Words(allowed)}.", "purpose")
        : allowed.Contains(purpose) ? purpose
        : throw OpenAiException.Invalid("invalid_value", $"'purpose' is '{purpose}'; give one of {Words(allowed)}.", "purpose");

    private static string Words(FrozenSet<string> allowed) => string.Join(", ", allowed.Order(StringComparer.Ordinal));
}
