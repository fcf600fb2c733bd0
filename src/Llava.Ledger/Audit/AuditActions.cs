namespace Llava.Ledger.Audit;

/// <summary>What the audit log calls that which is done: a thing and what became of it. Words are never reused for something else.</summary>
public static class AuditActions
{
    /// <summary>Somebody signed in on the pages.</summary>
    public const string SignedIn = "session.signed_in";

    /// <summary>Somebody who showed a secret was not let in.</summary>
    public const string SignInRefused = "session.refused";

    /// <summary>Somebody signed out.</summary>
    public const string SignedOut = "session.signed_out";

    /// <summary>A key was made.</summary>
    public const string KeyCreated = "key.created";

    /// <summary>A key was revoked.</summary>
    public const string KeyRevoked = "key.revoked";

    /// <summary>A job was submitted.</summary>
    public const string JobSubmitted = "job.submitted";

    /// <summary>A job was cancelled.</summary>
    public const string JobCancelled = "job.cancelled";

    /// <summary>A job was held.</summary>
    public const string JobPaused = "job.paused";

    /// <summary>A held job goes on.</summary>
    public const string JobResumed = "job.resumed";

    /// <summary>Items of a job are tried again.</summary>
    public const string JobRetried = "job.retried";

    /// <summary>An open job got a further source.</summary>
    public const string JobAppended = "job.appended";

    /// <summary>An open job was closed.</summary>
    public const string JobClosed = "job.closed";

    /// <summary>A schedule was made.</summary>
    public const string ScheduleAdded = "schedule.added";

    /// <summary>Another definition took the place of a schedule's.</summary>
    public const string ScheduleReplaced = "schedule.replaced";

    /// <summary>A schedule was kept from firing.</summary>
    public const string SchedulePaused = "schedule.paused";

    /// <summary>A paused schedule fires again.</summary>
    public const string ScheduleResumed = "schedule.resumed";

    /// <summary>A schedule was removed.</summary>
    public const string ScheduleRemoved = "schedule.removed";

    /// <summary>A schedule's job was asked for by hand.</summary>
    public const string ScheduleRun = "schedule.run";

    /// <summary>A file was deleted.</summary>
    public const string FileDeleted = "file.deleted";

    /// <summary>A training run was asked for.</summary>
    public const string TrainingCreated = "training.created";

    /// <summary>A training run was put down.</summary>
    public const string TrainingPaused = "training.paused";

    /// <summary>A training run that was put down goes on.</summary>
    public const string TrainingResumed = "training.resumed";

    /// <summary>A training run was cancelled.</summary>
    public const string TrainingCancelled = "training.cancelled";

    /// <summary>A model that a training run had made was deleted.</summary>
    public const string ModelDeleted = "model.deleted";

    /// <summary>A name stands for a new model.</summary>
    public const string ModelPromoted = "model.promoted";

    /// <summary>A new model was not good enough to take a name over.</summary>
    public const string PromotionRefused = "promotion.refused";

    /// <summary>An address for events was registered.</summary>
    public const string WebhookCreated = "webhook.created";

    /// <summary>An address for events was removed.</summary>
    public const string WebhookDeleted = "webhook.deleted";

    /// <summary>Another secret took the place of the one that signs what is sent to an address.</summary>
    public const string WebhookRotated = "webhook.rotated";
}
