using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.Requests;

namespace Llava.Cli.Commands;

/// <summary><c>llava estimate</c>: what a job would take, without submitting it.</summary>
internal static class EstimateCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("estimate", "Say what a job would take: items, time and tokens, from what the model's earlier jobs took.") { json };
        var arguments = new JobArguments();
        var options = new JobOptions();
        var client = new ClientOptions();
        arguments.AddTo(command);
        options.AddRequestTo(command);
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var isRemote = client.IsRemote(typed);
            var source = arguments.Source(typed, isRemote);
            var prompts = arguments.Prompts(typed, source);
            var request = isRemote ? options.RequestToServer(typed, source, prompts) : options.Request(typed, source, prompts);
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var estimate = await jobs.EstimateAsync(request, cancellationToken);
            foreach (var line in typed.GetValue(json) ? [JsonSerializer.Serialize(estimate, RequestJson.Options)] : EstimateText.Lines(estimate))
            {
                Console.WriteLine(line);
            }

            return ExitCodes.Ok;
        }));
        return command;
    }
}
