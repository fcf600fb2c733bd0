using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>How an item ended. An item without a result row has none yet; an answer, once written, stays, and the rest until it is tried again.</summary>
[JsonConverter(typeof(ItemOutcomeConverter))]
public enum ItemOutcome
{
    /// <summary>The model answered.</summary>
    Succeeded,

    /// <summary>The item could not be answered; the result has a code and a message.</summary>
    Failed,

    /// <summary>The job was cancelled first.</summary>
    Cancelled,

    /// <summary>The job's time was over first.</summary>
    Expired,
}

/// <summary>The table of item outcomes: each is final.</summary>
public static class ItemOutcomes
{
    /// <summary>Which outcomes there are.</summary>
    public static StateTable<ItemOutcome> Table { get; } = new(
        new(ItemOutcome.Succeeded, "succeeded"),
        new(ItemOutcome.Failed, "failed"),
        new(ItemOutcome.Cancelled, "cancelled"),
        new(ItemOutcome.Expired, "expired"));

    /// <summary>How the outcome is spelled in JSON and in the ledger.</summary>
    public static string WireName(this ItemOutcome outcome) => Table.WireName(outcome);
}
