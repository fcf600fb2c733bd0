using System.CommandLine;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;

namespace Llava.Cli.Clients;

/// <summary>Options that say where the jobs are: behind a server, or in the ledger at hand.</summary>
internal sealed class ClientOptions
{
    public const string ServerVariable = "LLAVA_SERVER";

    private readonly Option<string?> _server = new("--server") { Description = $"Address of a server, such as http://localhost:5080. Default: ${ServerVariable}, or the ledger at hand." };

    private readonly Option<FileInfo?> _keyFile = new("--api-key-file") { Description = $"File that holds the API key for the server. Default: ${ServerKey.Variable}." };

    private readonly Option<DirectoryInfo?> _data = JobOptions.DataOption();

    public void AddTo(Command command)
    {
        command.Options.Add(_server);
        command.Options.Add(_keyFile);
        command.Options.Add(_data);
    }

    /// <summary>Whether the jobs are behind a server. A folder that was typed goes before a variable that was set.</summary>
    /// <exception cref="UsageException">Both were typed.</exception>
    public bool IsRemote(ParseResult typed) => Server(typed) is not null;

    /// <exception cref="UsageException">The address or the key is none.</exception>
    public async Task<IJobClient> OpenAsync(ParseResult typed, CancellationToken cancellationToken)
    {
        if (Server(typed) is not { } server)
        {
            return new LedgerJobClient(await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(_data)), cancellationToken));
        }

        var key = ServerKey.Find(typed.GetValue(_keyFile));
        if (key.Secret is not null && server.Scheme == Uri.UriSchemeHttp && !server.IsLoopback)
        {
            await Console.Error.WriteLineAsync($"Warning: '{server}' is not https, so the API key can be read on its way.");
        }

        return new HttpJobClient(new(server, key));
    }

    private Uri? Server(ParseResult typed)
    {
        var named = typed.GetValue(_server);
        var hasData = typed.GetValue(_data) is not null;
        if (named is not null && hasData)
        {
            throw new UsageException("--server and --data name two places for the jobs; give one of them.");
        }

        var address = named ?? (hasData ? null : Environment.GetEnvironmentVariable(ServerVariable));
        return string.IsNullOrEmpty(address) ? null
            : Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var server) && server.Scheme is "http" or "https" && server is { UserInfo: "", Query: "" }
                ? server
                : throw new UsageException($"'{address}' is no address of a server; give one such as http://localhost:5080.");
    }
}
