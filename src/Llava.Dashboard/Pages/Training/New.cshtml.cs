using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Dashboard.Api;
using Llava.Dashboard.Models;
using Llava.Dashboard.Security;
using Llava.Dashboard.Training;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Training;

/// <summary>Starts a training run from a file that was sent before.</summary>
[PageRoles(AccessRole.Operator, AccessRole.Operator)]
internal sealed class NewTrainingModel(TrainingRuns runs, TrainingReader reader, FileStore files, WorkerRegistry workers, TrainedModelOwners owners) : PageModel
{
    private const string FineTune = "fine-tune";
    private const int ShownFiles = 100;

    /// <summary>Models to start from.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>Bases for LLaVA's first stage.</summary>
    public IReadOnlyList<string> Bases { get; private set; } = [];

    /// <summary>Runs that are still to make their model.</summary>
    public IReadOnlyList<TrainingView> Unfinished { get; private set; } = [];

    /// <summary>Files to learn from.</summary>
    public IReadOnlyList<FileRecord> Files { get; private set; } = [];

    /// <summary>What was typed.</summary>
    public NewRun Asked { get; private set; } = new();

    /// <summary>Why it was refused.</summary>
    public string? Problem { get; private set; }

    /// <summary>The form.</summary>
    public async Task OnGetAsync(CancellationToken cancellationToken)
    {
        var live = await workers.LiveForAsync(owners, Caller.Of(User).Tenant, cancellationToken);
        Bases = [.. live.SelectMany(worker => worker.Bases).Distinct().Order(StringComparer.Ordinal)];
        Unfinished = [.. (await reader.ListAsync(Caller.Of(User).Tenant, null, cancellationToken)).Where(view => !view.Run.State.IsFinal())];
        Models = [.. live.SelectMany(worker => worker.Models).Select(model => model.Name).Distinct()
            .OrderBy(name => name.StartsWith(TrainingRunRecord.ModelPrefix, StringComparison.Ordinal)).ThenBy(name => name, StringComparer.Ordinal)];
        Files = await files.ListAsync(new() { Tenant = Caller.Of(User).Tenant, Purpose = FineTune, Limit = ShownFiles }, cancellationToken);
    }

    /// <summary>Starts the run.</summary>
    public async Task<IActionResult> OnPostAsync(NewRun asked, CancellationToken cancellationToken)
    {
        Asked = asked;
        await OnGetAsync(cancellationToken);
        if (!ModelState.IsValid || !IsOffered(asked) || Files.All(file => file.Id != asked.TrainingFile))
        {
            Problem = "Choose what to start from and a file of the lists, and numbers where numbers are asked for.";
            return Page();
        }

        try
        {
            var run = await runs.CreateAsync(asked.ToRequest(Caller.Of(User).Tenant), cancellationToken);
            return Redirect($"/training/{run.Id}");
        }
        catch (InvalidTrainingRequestException refused)
        {
            Problem = refused.Message;
            return Page();
        }
    }

    private bool IsOffered(NewRun asked) =>
        asked.After is { } after ? Unfinished.Any(view => view.Run.Id == after)
        : asked.Base is { } made ? Bases.Contains(made)
        : asked.Model is { } model && Models.Contains(model);
}

/// <summary>What was typed into the form; what is empty is chosen.</summary>
public sealed record NewRun
{
    /// <summary>What stands before the name of a base in <see cref="Model"/>.</summary>
    public const string BaseMark = "base:";

    /// <summary>What stands before the id of a run in <see cref="Model"/>.</summary>
    public const string AfterMark = "after:";

    /// <summary>The model to start from, or a marked base or run.</summary>
    public string? Model { get; init; }

    internal string? Base => Behind(BaseMark);

    internal string? After => Behind(AfterMark);

    /// <summary>Id of the file to learn from.</summary>
    public string? TrainingFile { get; init; }

    /// <summary>Id of the file to measure with.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Part of the model's name.</summary>
    public string? Suffix { get; init; }

    /// <summary><c>full</c>, <c>lora</c>, <c>qlora</c> or <c>projector</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>Passes over the data.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rows of a step.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Highest learning rate.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Seed of the order of the rows.</summary>
    public int Seed { get; init; } = 42;

    internal TrainingRequest ToRequest(string tenant) => new()
    {
        Tenant = tenant,
        Model = After is not null ? "" : Base ?? Model!,
        After = After,
        TrainingFile = TrainingFile!,
        ValidationFile = string.IsNullOrEmpty(ValidationFile) ? null : ValidationFile,
        Suffix = string.IsNullOrWhiteSpace(Suffix) ? null : Suffix.Trim(),
        Seed = Seed,
        Settings = new()
        {
            Mode = Base is not null ? TrainingMode.Alignment : Mode switch { "projector" => TrainingMode.Projector, "lora" => TrainingMode.Lora, "qlora" => TrainingMode.QLora, _ => TrainingMode.Full },
            Epochs = Epochs,
            BatchSize = BatchSize,
            LearningRate = LearningRate,
        },
    };

    private string? Behind(string mark) => Model?.StartsWith(mark, StringComparison.Ordinal) == true ? Model[mark.Length..] : null;
}
