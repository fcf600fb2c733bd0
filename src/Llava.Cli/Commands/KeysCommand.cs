using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Ledger.Keys;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava keys</c>: keys of the HTTP API, made where the ledger is.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", "Make, list and revoke keys of the HTTP API.") { Make(), List(), Revoke() };

    private static Command Make()
    {
        var name = new Option<string>("--name") { Description = "What to call it, such as the program that will use it.", Required = true };
        var role = new Option<AccessRole>("--role") { Description = "viewer reads; operator also submits and controls; admin does everything for every tenant.", DefaultValueFactory = _ => AccessRole.Viewer };
        var tenant = new Option<string>("--tenant") { Description = "Whose jobs it acts on.", DefaultValueFactory = _ => "default" };
        var days = new Option<int?>("--expires") { Description = "Days after which it is refused. Default: never.", HelpName = "days" };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 36_500)
            {
                result.AddError("--expires takes 1 to 36500 days.");
            }
        });
        var data = JobOptions.DataOption();
        var command = new Command("create", "Make a key and print its secret, which nobody can show again.") { name, role, tenant, days, JobOutput.Json, data };
        command.SetAction((typed, cancellationToken) => RunAsync(typed, data, async keys =>
        {
            var lifetime = typed.GetValue(days) is { } count ? TimeSpan.FromDays(count) : (TimeSpan?)null;
            var (key, secret) = await CreateAsync(keys, typed.GetValue(name)!, typed.GetValue(tenant)!, typed.GetValue(role), lifetime, cancellationToken);
            Console.WriteLine(typed.GetValue(JobOutput.Json) ? JsonOf(key, secret) : secret);
            await Console.Error.WriteLineAsync($"Key {key.Id} '{key.Name}': {key.Role.WireName()} of {key.Tenant}. Keep the secret now; it is not shown again.");
        }, cancellationToken));
        return command;
    }

    private static Command List()
    {
        var data = JobOptions.DataOption();
        var command = new Command("list", "Show all keys, without their secrets.") { JobOutput.Json, data };
        command.SetAction((typed, cancellationToken) => RunAsync(typed, data, async keys =>
        {
            var all = await keys.ListAsync(cancellationToken);
            if (typed.GetValue(JobOutput.Json))
            {
                all.ForEach(key => Console.WriteLine(JsonOf(key)));
            }
            else
            {
                Write(all);
            }
        }, cancellationToken));
        return command;
    }

    private static Command Revoke()
    {
        var id = new Argument<string>("key") { Description = "A key's id; 'llava keys list' shows them." };
        var data = JobOptions.DataOption();
        var command = new Command("revoke", "Refuse a key from now on.") { id, JobOutput.Json, data };
        command.SetAction((typed, cancellationToken) => RunAsync(typed, data, async keys =>
        {
            var key = await keys.RevokeAsync(typed.GetValue(id)!, cancellationToken) ?? throw new UsageException($"There is no key '{typed.GetValue(id)}'; 'llava keys list' shows those there are.");
            Console.WriteLine(typed.GetValue(JobOutput.Json) ? JsonOf(key) : $"Key {key.Id} '{key.Name}' is revoked.");
        }, cancellationToken));
        return command;
    }

    private static Task<int> RunAsync(ParseResult typed, Option<DirectoryInfo?> data, Func<ApiKeys, Task> act, CancellationToken cancellationToken) => Failures.ReportAsync(async () =>
    {
        await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(data)), cancellationToken);
        await act(ledger.Keys);
        return ExitCodes.Ok;
    });

    private static async Task<CreatedKey> CreateAsync(ApiKeys keys, string name, string tenant, AccessRole role, TimeSpan? lifetime, CancellationToken cancellationToken)
    {
        try
        {
            return await keys.CreateAsync(name, tenant, role, lifetime, cancellationToken);
        }
        catch (ArgumentException wrong)
        {
            throw new UsageException(wrong.Message);
        }
    }

    private static void Write(List<ApiKey> keys)
    {
        if (keys.Count == 0)
        {
            Console.WriteLine("No keys yet. Make one with 'llava keys create --name <name>'.");
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("key", "name", "role", "tenant", "standing", "last used");
        foreach (var key in keys)
        {
            table.AddRow(new Text(key.Id), new Text(key.Name), new Text(key.Role.WireName()), new Text(key.Tenant), new Text(Standing(key)), new Text(Moment(key.LastUsedAt)));
        }

        AnsiConsole.Write(table);
    }

    private static string Standing(ApiKey key) => key.StandingAt(TimeProvider.System.GetUtcNow()) switch
    {
        KeyStanding.Revoked => $"revoked {Moment(key.RevokedAt)}",
        KeyStanding.Expired => $"expired {Moment(key.ExpiresAt)}",
        _ => key.ExpiresAt is null ? "valid" : $"valid until {Moment(key.ExpiresAt)}",
    };

    private static string Moment(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "never";

    private static string JsonOf(ApiKey key, string? secret = null)
    {
        Dictionary<string, object?> fields = new()
        {
            ["id"] = key.Id,
            ["name"] = key.Name,
            ["role"] = key.Role.WireName(),
            ["tenant"] = key.Tenant,
            ["created_at"] = key.CreatedAt,
            ["expires_at"] = key.ExpiresAt,
            ["revoked_at"] = key.RevokedAt,
            ["last_used_at"] = key.LastUsedAt,
        };
        if (secret is not null)
        {
            fields["secret"] = secret;
        }

        return JsonSerializer.Serialize(fields);
    }
}
