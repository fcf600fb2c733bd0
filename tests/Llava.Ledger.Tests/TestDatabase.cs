namespace Llava.Ledger.Tests;

/// <summary>A database that one test owns.</summary>
public abstract class TestDatabase
{
    /// <summary>Makes it.</summary>
    public virtual Task CreateAsync() => Task.CompletedTask;

    /// <summary>Points a ledger at it.</summary>
    public abstract void Configure(LedgerOptions options);

    /// <summary>Removes it.</summary>
    public abstract Task DropAsync();
}
