using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Ledger.Audit;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava audit</c>: who did what when, read and checked where the ledger is.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Show who did what when, and check that nobody changed it since.") { List(), Verify() };

    private static Command List()
    {
        var actor = new Option<string?>("--actor") { Description = "Only lines of actors whose name begins so, such as key: or terminal:ada." };
        var action = new Option<string?>("--action") { Description = "Only lines whose action begins so, such as job. or key.created." };
        var target = new Option<string?>("--target") { Description = "Only lines about things that begin so, such as a job's id." };
        var limit = new Option<int>("--limit") { Description = "Most lines to show.", DefaultValueFactory = _ => 50 };
        var data = JobOptions.DataOption();
        var command = new Command("list", "Show the newest lines.") { actor, action, target, limit, JobOutput.Json, data };
        command.SetAction((typed, cancellationToken) => WithLogAsync(typed.GetValue(data), async log =>
        {
            var lines = await log.ListAsync(new() { Actor = typed.GetValue(actor), Action = typed.GetValue(action), Target = typed.GetValue(target), Limit = typed.GetValue(limit) }, cancellationToken);
            if (typed.GetValue(JobOutput.Json))
            {
                lines.ForEach(line => Console.WriteLine(JsonOf(line)));
            }
            else
            {
                Write(lines);
            }

            return ExitCodes.Ok;
        }, cancellationToken));
        return command;
    }

    private static Command Verify()
    {
        var head = new Option<string?>("--head") { Description = "A hash that an earlier check printed; it must still be there, which finds lines that were cut off at the end." };
        var data = JobOptions.DataOption();
        var command = new Command("verify", "Check that no line was changed or removed; exit code 1 when one was.") { head, data };
        command.SetAction((typed, cancellationToken) => WithLogAsync(typed.GetValue(data), async log =>
        {
            var verdict = await log.VerifyAsync(typed.GetValue(head), cancellationToken);
            Console.WriteLine(verdict.Fault ?? $"All {verdict.Count} lines hold. Head: {verdict.Head}");
            return verdict.IsWhole ? ExitCodes.Ok : ExitCodes.SomeItemsFailed;
        }, cancellationToken));
        return command;
    }

    private static Task<int> WithLogAsync(DirectoryInfo? data, Func<AuditLog, Task<int>> use, CancellationToken cancellationToken) => Failures.ReportAsync(async () =>
    {
        await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(data), cancellationToken);
        return await use(ledger.Audit);
    });

    private static void Write(List<AuditEntry> lines)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("line", "when", "who", "what", "to what", "tenant", "more");
        foreach (var line in lines)
        {
            table.AddRow([.. ((string[])
            [
                line.Number.ToString(CultureInfo.InvariantCulture), line.At.ToString("u", CultureInfo.InvariantCulture), line.Actor, line.Action, line.Target, line.Tenant, line.Details ?? "",
            ]).Select(text => new Text(text))]);
        }

        AnsiConsole.Write(table);
    }

    private static string JsonOf(AuditEntry line) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["number"] = line.Number,
        ["at"] = line.At,
        ["actor"] = line.Actor,
        ["tenant"] = line.Tenant,
        ["action"] = line.Action,
        ["target"] = line.Target,
        ["request_id"] = line.RequestId,
        ["details"] = line.Details is null ? null : JsonSerializer.Deserialize<JsonElement>(line.Details),
        ["hash"] = line.Hash,
    });
}
