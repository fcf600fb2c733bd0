using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Spectre.Console;

namespace Llava.Cli.Terminal;

/// <summary>Results for a person: a name and a text per line, the cause where there is no text.</summary>
internal static class TerminalResults
{
    public static async Task WriteAsync(ResultReader results, JobRecord job, int limit, CancellationToken cancellationToken)
    {
        var page = await results.PageAsync(job.Id, new ResultFilter { Limit = limit + 1 }, cancellationToken);
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn(new TableColumn("item").NoWrap()).AddColumn("answer");
        foreach (var result in page.Take(limit))
        {
            table.AddRow(new Text(Name(result)), Answer(result));
        }

        AnsiConsole.Write(table);
        if (page.Count > limit)
        {
            AnsiConsole.WriteLine($"... and {job.ItemCount - limit} more: llava results {job.Id}");
        }
    }

    private static string Name(ItemResult result) => result.Prompt is null ? result.CustomId : $"{result.CustomId}  {result.Prompt}";

    private static Text Answer(ItemResult result) => result.Result.Failure is { } failure
        ? new Text($"{failure.Code}: {failure.Message}", new Style(Color.Red))
        : new Text(result.Result.Text ?? "");
}
