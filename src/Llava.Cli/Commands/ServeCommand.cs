using System.CommandLine;
using Llava.Cli.Embedded;
using Llava.Cli.Service;

namespace Llava.Cli.Commands;

/// <summary><c>llava serve</c>: one process of the distributed service.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var roles = new Argument<Role[]>("roles") { Description = "What this process does.", Arity = ArgumentArity.OneOrMore };
        var models = new Option<string[]>("--model") { Description = "Models a consumer serves, by folder or by name in the models folder.", AllowMultipleArgumentsPerToken = true };
        var command = new Command("serve", "Run a part of the distributed service until stopped; docs/operations.md lists the settings.") { roles, models };
        EngineArguments engine = new();
        engine.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var app = ServiceHost.Build(typed.GetValue(roles)!.ToHashSet(), typed.GetValue(models) ?? [], DataFolder.Resolve(null), engine.Settings(typed));
            await ServiceHost.RunAsync(app, cancellationToken);
            return ExitCodes.Ok;
        }));
        return command;
    }
}
