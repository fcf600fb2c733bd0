using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>What a job starts from must be there when it is asked for.</summary>
internal static class BaseModels
{
    private const string FineTune = "fine-tune";

    /// <summary>The request with the name under which a live worker serves its model to the caller, of which the last part is enough; for an alignment, one that has the base.</summary>
    /// <exception cref="OpenAiException">No worker does.</exception>
    public static async Task<TrainingRequest> FindAsync(WorkerRegistry workers, TrainedModelOwners owners, Caller caller, TrainingRequest request, CancellationToken cancellation)
    {
        if (request.After is not null)
        {
            return request;
        }

        var (asked, live) = (request.Model, await workers.LiveAsync(cancellation));
        if (request.Settings.Mode == TrainingMode.Alignment)
        {
            var bases = live.SelectMany(worker => worker.Bases).Distinct().Order(StringComparer.Ordinal).ToList();
            return bases.Contains(asked) ? request : throw OpenAiException.NotFound("model_not_found", $"No live worker has the base '{asked}', and alignment starts from one; {(bases.Count > 0 ? $"those there are: {string.Join(", ", bases)}." : "none has any (Llava:Training:Bases).")}", "model");
        }

        var served = await owners.UsableAsync(caller.Tenant, live.SelectMany(worker => worker.Models).Select(model => model.Name).Distinct(), cancellation);
        return request with
        {
            Model = served.FirstOrDefault(name => name == asked) ?? served.FirstOrDefault(name => Path.GetFileName(name) == asked)
                ?? throw OpenAiException.NotFound("model_not_found", $"No live worker answers for the model '{asked}'; GET {OpenAiHosting.Root}/models lists those that are served.", "model"),
        };
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
