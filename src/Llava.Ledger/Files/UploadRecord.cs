namespace Llava.Ledger.Files;

/// <summary>A file that is sent in parts, as the ledger knows it.</summary>
public sealed record UploadRecord
{
    /// <summary><c>upload_</c> and 32 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Tenant { get; init; }

    /// <summary>What is said about the file.</summary>
    public required FileDescription File { get; init; }

    /// <summary>How long the file was said to be, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>How far it is, as of when it was read.</summary>
    public required UploadState State { get; init; }

    /// <summary>The file; null until it is complete.</summary>
    public string? FileId { get; init; }

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when it takes parts and may be completed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A part of such a file.</summary>
/// <param name="Id"><c>part_</c> and 32 hexadecimal digits.</param>
/// <param name="Upload">The file it is a part of.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="CreatedAt">When it was there.</param>
public sealed record UploadPart(string Id, string Upload, long Bytes, DateTimeOffset CreatedAt);

/// <summary>How far a file is that is sent in parts.</summary>
public enum UploadState
{
    /// <summary>It takes parts.</summary>
    Pending,

    /// <summary>It is a file.</summary>
    Completed,

    /// <summary>Its sender gave it up.</summary>
    Cancelled,

    /// <summary>Its time was over before it was complete; the ledger keeps no word for this.</summary>
    Expired,
}

/// <summary>Those states by name.</summary>
public static class UploadStates
{
    /// <summary>Every state as the ledger spells it.</summary>
    internal static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<UploadState>().Where(state => state != UploadState.Expired).Select(WireName)];

    /// <summary>How the state is spelled, in OpenAI's words.</summary>
    public static string WireName(this UploadState state) => state.ToString().ToLowerInvariant();

    /// <summary>The state spelled <paramref name="name"/>.</summary>
    internal static UploadState Parse(string name) => Enum.Parse<UploadState>(name, ignoreCase: true);
}
