using Llava.Ledger.Workers;

namespace Llava.Scheduler.Dispatch;

/// <summary>
/// How many items of a model may be outstanding: twice the slots that its live workers announce, so that preparation and the
/// tail of one chunk overlap the next, and a few chunks per worker where slots are few. Small enough that priority, pause
/// and cancel act within seconds. A worker that would have to load the model first gets one chunk, which makes it do so; one
/// that cannot load it gets none.
/// </summary>
/// <param name="Items">Items of all chunks but the express ones.</param>
/// <param name="ExpressItems">Items of express chunks, beside <paramref name="Items"/>: nobody's first chunks wait until another job has made room.</param>
internal readonly record struct Window(int Items, int ExpressItems)
{
    private const int ChunksPerWorker = 2;

    /// <summary>The models that can be handed out to, each with its window.</summary>
    /// <param name="workers">Live workers; those that drain take nothing more.</param>
    /// <param name="chunkItems">Usual size of a chunk.</param>
    public static Dictionary<string, Window> Of(IEnumerable<WorkerRecord> workers, int chunkItems) => workers
        .Where(worker => !worker.Draining)
        .SelectMany(worker => worker.Models)
        .Where(model => model.State != ModelState.Failed)
        .GroupBy(model => model.Name)
        .ToDictionary(models => models.Key, models => new Window(
            models.Sum(model => model.State == ModelState.Loaded ? (2 * model.Slots) + (ChunksPerWorker * chunkItems) : chunkItems),
            models.Sum(model => model.State == ModelState.Loaded ? model.Slots + (ChunksPerWorker * chunkItems) : chunkItems)));
}
