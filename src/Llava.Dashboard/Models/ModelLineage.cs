using Llava.Contracts;
using Llava.Ledger.Files;
using Llava.Ledger.Training;

namespace Llava.Dashboard.Models;

/// <summary>Where a trained model comes from.</summary>
/// <param name="Run">The run that made it, and the model that one started from.</param>
/// <param name="File">The file it learned from; null where that is gone.</param>
/// <param name="Reviewed">The job whose reviewed answers are in the file; null where it is not of such a job, or the job is gone.</param>
internal sealed record ModelLineage(TrainingRunRecord Run, FileRecord? File, JobId? Reviewed);
