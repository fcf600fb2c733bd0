using Llava.Dashboard.Api;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>What a job starts from must be there when it is asked for.</summary>
internal static class BaseModels
{
    private const string FineTune = "fine-tune";

    /// <summary>The name under which a live worker serves the model to the caller; the last part of it is enough.</summary>
    /// <exception cref="OpenAiException">No worker serves it.</exception>
    public static async Task<string> FindAsync(WorkerRegistry workers, TrainedModelOwners owners, Caller caller, string asked, CancellationToken cancellation)
    {
        var served = await owners.UsableAsync(caller.Tenant, (await workers.LiveAsync(cancellation)).SelectMany(worker => worker.Models).Select(model => model.Name).Distinct(), cancellation);
        return served.FirstOrDefault(name => name == asked) ?? served.FirstOrDefault(name => Path.GetFileName(name) == asked)
            ?? throw OpenAiException.NotFound("model_not_found", $"No live worker answers for the model '{asked}'; GET {OpenAiHosting.Root}/models lists those that are served.", "model");
    }

    /// <summary>Looks for a file of rows.</summary>
    /// <exception cref="OpenAiException">It is not there, or is for something else.</exception>
    public static async Task RequireFileAsync(FileStore files, Caller caller, string id, string field, CancellationToken cancellation)
    {
        var file = await files.FindAsync(id, caller.Tenant, cancellation)
            ?? throw OpenAiException.Invalid("file_not_found", $"'{field}' is '{id}', and there is no such file; send one with the purpose '{FineTune}'.", field);
        if (file.Purpose != FineTune)
        {
            throw OpenAiException.Invalid("invalid_file_purpose", $"'{field}' is a file for '{file.Purpose}'; send it with the purpose '{FineTune}'.", field);
        }
    }
}
