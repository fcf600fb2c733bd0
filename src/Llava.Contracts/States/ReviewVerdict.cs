using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>What a person said of an answer.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReviewVerdict>))]
public enum ReviewVerdict
{
    /// <summary>It is right as it is.</summary>
    [JsonStringEnumMemberName("accepted")]
    Accepted,

    /// <summary>It is right after a change; the review has the text that is.</summary>
    [JsonStringEnumMemberName("edited")]
    Edited,

    /// <summary>It is wrong, and nobody said what is right.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected,
}

/// <summary>The table of verdicts: any may follow any, because people change their mind.</summary>
public static class ReviewVerdicts
{
    /// <summary>Which verdicts there are.</summary>
    public static StateTable<ReviewVerdict> Table { get; } = new(
        new(ReviewVerdict.Accepted, "accepted"),
        new(ReviewVerdict.Edited, "edited"),
        new(ReviewVerdict.Rejected, "rejected"));

    /// <summary>How the verdict is spelled in JSON and in the ledger.</summary>
    public static string WireName(this ReviewVerdict verdict) => Table.WireName(verdict);
}
