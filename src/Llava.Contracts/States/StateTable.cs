using System.Collections.Frozen;

namespace Llava.Contracts.States;

/// <summary>
/// The one place that says which states there are, how each is spelled on the wire and in the ledger, and which may
/// follow which. The database constraint, the documents and the tests are derived from it.
/// </summary>
/// <typeparam name="TState">The enumeration of the states.</typeparam>
public sealed class StateTable<TState>
    where TState : struct, Enum
{
    private readonly FrozenDictionary<TState, StateRow<TState>> _rows;
    private readonly FrozenDictionary<string, TState> _byName;

    internal StateTable(params StateRow<TState>[] rows)
    {
        States = [.. rows.Select(row => row.State)];
        _rows = rows.ToFrozenDictionary(row => row.State);
        _byName = rows.ToFrozenDictionary(row => row.WireName, row => row.State);
    }

    /// <summary>Every state, in the order of a life.</summary>
    public IReadOnlyList<TState> States { get; }

    /// <summary>How <paramref name="state"/> is spelled in JSON and in the ledger.</summary>
    public string WireName(TState state) => _rows[state].WireName;

    /// <summary>The state spelled <paramref name="wireName"/>.</summary>
    /// <exception cref="FormatException">No state is spelled so.</exception>
    public TState Parse(string wireName) => _byName.TryGetValue(wireName, out var state)
        ? state
        : throw new FormatException($"'{wireName}' is not a {typeof(TState).Name}; those are {string.Join(", ", _byName.Keys.Order())}.");

    /// <summary>Finds the state spelled <paramref name="wireName"/>.</summary>
    public bool TryParse(string wireName, out TState state) => _byName.TryGetValue(wireName, out state);

    /// <summary>States that may follow <paramref name="state"/> at once, without anybody opening again what was over.</summary>
    public IReadOnlyList<TState> Next(TState state) => _rows[state].Next;

    /// <summary>Whether <paramref name="to"/> may follow <paramref name="from"/> at once.</summary>
    public bool Allows(TState from, TState to) => _rows[from].Next.Contains(to) || _rows[from].Reopened.Contains(to);

    /// <summary>Whether <paramref name="state"/> is an end: nothing follows it, unless somebody asks for what is over to be tried again.</summary>
    public bool IsFinal(TState state) => _rows[state].Next.Count == 0;
}

/// <summary>One line of a <see cref="StateTable{TState}"/>.</summary>
internal sealed record StateRow<TState>(TState State, string WireName, params IReadOnlyList<TState> Next)
{
    /// <summary>What follows an end that is opened again.</summary>
    public IReadOnlyList<TState> Reopened { get; init; } = [];
}
