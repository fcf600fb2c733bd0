namespace Llava.Dashboard.Live;

/// <summary>One thing that pages watch. Readers of the same key share one look at the ledger.</summary>
/// <param name="Source">Name of its <see cref="LiveSource"/>.</param>
/// <param name="Argument">Which of the source's things, such as a job's id; empty where there is only one.</param>
/// <param name="Tenant">The tenant that its readers are confined to; null for all.</param>
internal sealed record LiveKey(string Source, string Argument, string? Tenant)
{
    /// <summary>How pages and events name it: <c>source</c> or <c>source:argument</c>.</summary>
    public string Topic => Argument.Length == 0 ? Source : $"{Source}:{Argument}";

    /// <summary>Reads what <see cref="Topic"/> wrote.</summary>
    public static LiveKey Parse(string topic, string? tenant) => topic.Split(':', 2) is [var source, var argument] ? new(source, argument, tenant) : new(topic, "", tenant);
}
