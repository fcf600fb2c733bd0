using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Microsoft.AspNetCore.WebUtilities;

namespace Llava.Dashboard.Jobs;

/// <summary>What the page of jobs is asked for, as its address says it.</summary>
public sealed record JobsQuery
{
    /// <summary>Jobs on a page.</summary>
    public const int PageSize = 30;

    /// <summary>Words in the source, the prompt or the settings, or a job's id.</summary>
    public string? Q { get; init; }

    /// <summary>Only this state.</summary>
    public string? State { get; init; }

    /// <summary>Only this model.</summary>
    public string? Model { get; init; }

    /// <summary>Only this tenant; whoever is confined to one sees that one whatever this says.</summary>
    public string? Tenant { get; init; }

    /// <summary>Only jobs older than this one.</summary>
    public string? Before { get; init; }

    /// <summary>Whether it asks for less than all.</summary>
    public bool IsFiltered => Q is not null || State is not null || Model is not null || Tenant is not null;

    /// <summary>The filter for the ledger.</summary>
    /// <param name="confinement">The tenant that the reader is confined to.</param>
    public JobFilter Filter(string? confinement) => new()
    {
        Tenant = confinement ?? Tenant,
        State = State is not null && JobStates.Table.TryParse(State, out var state) ? state : null,
        Model = Model,
        Text = Q,
        Before = JobId.TryParse(Before, null, out var before) ? before : null,
        Limit = PageSize,
    };

    /// <summary>The same as a query string, without its question mark; empty for everything.</summary>
    public override string ToString() => QueryHelpers.AddQueryString("", Fields().Where(field => !string.IsNullOrWhiteSpace(field.Value))!).TrimStart('?');

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static JobsQuery Parse(string query)
    {
        var fields = QueryHelpers.ParseQuery(query);
        return new() { Q = Text("q"), State = Text("state"), Model = Text("model"), Tenant = Text("tenant"), Before = Text("before") };

        string? Text(string name) => fields.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.ToString().Trim() : null;
    }

    private Dictionary<string, string?> Fields() => new() { ["q"] = Q, ["state"] = State, ["model"] = Model, ["tenant"] = Tenant, ["before"] = Before };
}
