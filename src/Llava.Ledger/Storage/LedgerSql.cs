using System.Collections.Frozen;

namespace Llava.Ledger.Storage;

/// <summary>
/// The statements, read from the <c>.sql</c> files by name. A provider's own folder wins over the shared file, so a statement
/// that both databases understand is written once.
/// </summary>
internal sealed class LedgerSql
{
    private readonly FrozenDictionary<string, string> _statements;

    /// <param name="provider">Folder of the provider, such as <c>Sqlite</c>.</param>
    public LedgerSql(string provider)
    {
        var assembly = typeof(LedgerSql).Assembly;
        var files = assembly.GetManifestResourceNames();
        var shared = files.Where(file => !file.Contains('/', StringComparison.Ordinal));
        var own = files.Where(file => file.StartsWith(provider + "/", StringComparison.Ordinal)).ToDictionary(file => file[(provider.Length + 1)..]);
        _statements = shared.Union(own.Keys).ToFrozenDictionary(name => name, name => Read(own.GetValueOrDefault(name, name)));

        string Read(string file)
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(file)!);
            return reader.ReadToEnd();
        }
    }

    /// <summary>Text of the statement in <c>{name}.sql</c>.</summary>
    public string this[string name] => _statements.TryGetValue(name, out var text)
        ? text
        : throw new ArgumentException($"There is no statement '{name}'; each is a file below Llava.Ledger/Sql.", nameof(name));

    /// <summary>Names of all statements.</summary>
    public IEnumerable<string> Names => _statements.Keys;
}
