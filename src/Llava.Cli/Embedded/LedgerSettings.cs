using Llava.Dashboard.Playground;
using Llava.Ledger;
using Llava.Ledger.Files;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Embedded;

/// <summary>The ledger's options, the same for every command, so that one submits to where the other reads.</summary>
internal static class LedgerSettings
{
    /// <summary>Binds the section; the ledger is where the setting <c>Llava__Ledger</c> says, or in the data folder.</summary>
    public static void BindLedger(this OptionsBuilder<LedgerOptions> options, IConfiguration configuration, string dataFolder)
    {
        var section = configuration.GetSection(LedgerOptions.SectionName);
        options.Configure(o => o.Location = Path.Combine(dataFolder, "ledger.db")).Bind(section);
        if (!string.IsNullOrEmpty(section.Value))
        {
            options.Configure(o => o.Location = section.Value);
        }
    }

    /// <summary>Beside a ledger in PostgreSQL there is no folder, so files are in the data folder unless another is named; conversations of the playground always are.</summary>
    public static void PlaceFiles(this IServiceCollection services, string dataFolder)
    {
        services.AddOptions<PlaygroundOptions>().PostConfigure(playground => playground.Folder ??= Path.Combine(dataFolder, "conversations"));
        services.AddOptions<FileStoreOptions>().PostConfigure<IOptions<LedgerOptions>>(
            (files, ledger) => files.Folder ??= PostgresAddress.Find(ledger.Value) is null ? null : Path.Combine(dataFolder, "files"));
    }
}
