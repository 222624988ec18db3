// A file system under RocksDB that loses what was not synced, and fails when it is told to.
//
// Three layers: CutFileSystem counts the calls, has some of them fail, and knows how much of each file is synced. RocksDB's
// FaultInjectionTestFS below it refuses everything once the power is off, and knows the names that no sync of their directory
// has made durable. ForgivingFileSystem lets that one delete what somebody has deleted past it.
//
// FaultInjectionTestFS has a way to lose data of its own: it keeps what was not synced in memory. Whoever reads a log past
// RocksDB would not see that, and no tail is ever torn. So what is written goes to the files here, and they are cut afterwards.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "env/composite_env_wrapper.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/system_clock.h"
#include "utilities/fault_injection_fs.h"

// As RocksDB's C interface has it.
struct rocksdb_env_t {
  rocksdb::Env* rep;
  bool is_default;
};

namespace {

using namespace rocksdb;

enum Call : uint32_t { kRead, kAppend, kSync, kRename, kCreate, kDelete, kSyncDirectory, kCalls };

// A fixed sequence of numbers (splitmix64, Steele, Lea and Flood 2014).
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t Below(uint64_t bound) {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  uint64_t state_;
};

// After a failure in the background RocksDB sleeps for a second, and so does who closes the database. Here failures are not
// rare.
class ImpatientClock : public SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  static const char* kClassName() { return "BlazeImpatientClock"; }
  const char* Name() const override { return kClassName(); }

  void SleepForMicroseconds(int micros) override {
    SystemClockWrapper::SleepForMicroseconds(std::min(micros, 1000));
  }
};

// How much of a file was written, and how much of that is synced.
struct Extent {
  uint64_t written = 0;
  uint64_t synced = 0;
};

class ForgivingFileSystem : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  static const char* kClassName() { return "BlazeForgivingFS"; }
  const char* Name() const override { return kClassName(); }

  IOStatus DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::DeleteFile(name, options, dbg);
    return forgives_ && (status.IsNotFound() || status.IsPathNotFound()) ? IOStatus::OK() : status;
  }

  void Forgive(bool forgives) { forgives_ = forgives; }

 private:
  bool forgives_ = false;
};

class CutFileSystem : public FileSystemWrapper {
 public:
  CutFileSystem(std::shared_ptr<ForgivingFileSystem> files, std::shared_ptr<FaultInjectionTestFS> power)
      : FileSystemWrapper(power), files_(std::move(files)), power_(std::move(power)) {}
  static const char* kClassName() { return "BlazeFaultFS"; }
  const char* Name() const override { return kClassName(); }

  // Counts a call, and says whether it may go on.
  IOStatus Admit(Call call) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!is_on_) {
      return PowerIsOff();
    }
    ++calls_[call];
    const uint32_t bit = 1u << call;
    if ((cut_calls_ & bit) != 0 && cut_left_ > 0 && --cut_left_ == 0) {
      TurnOff();
      return PowerIsOff();
    }
    if ((failing_calls_ & bit) != 0) {
      ++failing_seen_;
      if (failing_seen_ == fails_at_ || (fails_on_ && failing_seen_ > fails_at_)) {
        ++failures_;
        return no_space_ ? IOStatus::NoSpace("the test says that the disk is full")
                         : IOStatus::IOError("the test says that the disk fails");
      }
    }
    return IOStatus::OK();
  }

  // Counts an append, of which a disk that fails may still take a part.
  template <typename Append>
  IOStatus Write(Extent& extent, const Slice& data, Append append) {
    IOStatus admitted = Admit(kAppend);
    const Slice taken = admitted.ok() ? data : Slice(data.data(), data.size() / 2);
    if (!admitted.ok() && (taken.empty() || !IsOn())) {
      return admitted;
    }
    IOStatus status = append(taken);
    if (status.ok()) {
      std::lock_guard<std::mutex> lock(mutex_);
      extent.written += taken.size();
    }
    return admitted.ok() ? status : admitted;
  }

  template <typename Sync>
  IOStatus Synchronize(Extent& extent, Sync sync) {
    IOStatus status = Admit(kSync);
    if (!status.ok()) {
      return status;
    }
    uint64_t written;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      written = extent.written;
    }
    status = sync();
    if (status.ok()) {
      std::lock_guard<std::mutex> lock(mutex_);
      extent.synced = std::max(extent.synced, std::min(written, extent.written));
    }
    return status;
  }

  void Shorten(Extent& extent, uint64_t size) {
    std::lock_guard<std::mutex> lock(mutex_);
    extent.written = size;
    extent.synced = std::min(extent.synced, size);
  }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<FSSequentialFile>* file, IODebugContext* dbg) override;
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<FSRandomAccessFile>* file, IODebugContext* dbg) override;
  IOStatus NewWritableFile(const std::string& name, const FileOptions& options, std::unique_ptr<FSWritableFile>* file,
                           IODebugContext* dbg) override;
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file, IODebugContext* dbg) override;
  IOStatus NewDirectory(const std::string& name, const IOOptions& options, std::unique_ptr<FSDirectory>* directory,
                        IODebugContext* dbg) override;

  // RocksDB does not ask for it with its logs: they are not recycled.
  IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name, const FileOptions& options,
                             std::unique_ptr<FSWritableFile>* file, IODebugContext* dbg) override {
    IOStatus status = RenameFile(old_name, name, options.io_options, dbg);
    return status.ok() ? NewWritableFile(name, options, file, dbg) : status;
  }

  IOStatus NewRandomRWFile(const std::string& name, const FileOptions& options, std::unique_ptr<FSRandomRWFile>* file,
                           IODebugContext* dbg) override {
    IOStatus status = Admit(kCreate);
    return status.ok() ? FileSystemWrapper::NewRandomRWFile(name, options, file, dbg) : status;
  }

  IOStatus CreateDir(const std::string& name, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = Admit(kCreate);
    return status.ok() ? FileSystemWrapper::CreateDir(name, options, dbg) : status;
  }

  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = Admit(kCreate);
    return status.ok() ? FileSystemWrapper::CreateDirIfMissing(name, options, dbg) : status;
  }

  IOStatus DeleteDir(const std::string& name, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = Admit(kDelete);
    return status.ok() ? FileSystemWrapper::DeleteDir(name, options, dbg) : status;
  }

  IOStatus DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = Admit(kDelete);
    if (status.ok()) {
      status = FileSystemWrapper::DeleteFile(name, options, dbg);
    }
    if (status.ok()) {
      std::lock_guard<std::mutex> lock(mutex_);
      extents_.erase(name);
    }
    return status;
  }

  IOStatus Truncate(const std::string& name, size_t size, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = Admit(kAppend);
    if (status.ok()) {
      status = FileSystemWrapper::Truncate(name, size, options, dbg);
    }
    if (std::shared_ptr<Extent> extent = status.ok() ? Find(name) : nullptr) {
      Shorten(*extent, size);
    }
    return status;
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    IOStatus status = Admit(kRename);
    if (status.ok()) {
      status = FileSystemWrapper::RenameFile(from, to, options, dbg);
    }
    if (status.ok()) {
      std::lock_guard<std::mutex> lock(mutex_);
      extents_.erase(to);
      auto moved = extents_.extract(from);
      if (!moved.empty()) {
        moved.key() = to;
        extents_.insert(std::move(moved));
      }
    }
    return status;
  }

  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* dbg) override {
    IOStatus status = Admit(kRename);
    if (status.ok()) {
      status = FileSystemWrapper::LinkFile(from, to, options, dbg);
    }
    if (status.ok()) {
      std::lock_guard<std::mutex> lock(mutex_);
      auto there = extents_.find(from);
      if (there != extents_.end()) {
        extents_[to] = there->second;
      }
    }
    return status;
  }

  // Who does not know what is free makes RocksDB wait for no space by itself once a disk was full: when it finds some just as
  // the next error comes, closing the database waits for ever (11.8.1: ErrorHandler::recovery_in_prog_ stays true once
  // SstFileManagerImpl::ClearError has taken an instance with a fatal error from its list).
  IOStatus GetFreeSpace(const std::string&, const IOOptions&, uint64_t*, IODebugContext*) override {
    return IOStatus::NotSupported("the test does not say what is free");
  }

  IOStatus SyncFile(const std::string& name, const FileOptions& options, const IOOptions& io_options, bool use_fsync,
                    IODebugContext* dbg) override {
    std::shared_ptr<Extent> extent = Find(name);
    Extent unknown;
    return Synchronize(extent ? *extent : unknown,
                       [&] { return FileSystemWrapper::SyncFile(name, options, io_options, use_fsync, dbg); });
  }

  void SetOn(bool on) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (on) {
      is_on_ = true;
      power_->SetFilesystemActive(true);
    } else {
      TurnOff();
    }
  }

  bool IsOn() {
    std::lock_guard<std::mutex> lock(mutex_);
    return is_on_;
  }

  void CutAt(uint32_t calls, uint64_t number) {
    std::lock_guard<std::mutex> lock(mutex_);
    cut_calls_ = calls;
    cut_left_ = number;
  }

  void Fail(uint32_t calls, uint64_t number, bool no_space, bool goes_on) {
    std::lock_guard<std::mutex> lock(mutex_);
    failing_calls_ = calls;
    failing_seen_ = 0;
    fails_at_ = number;
    no_space_ = no_space;
    fails_on_ = goes_on;
  }

  uint64_t Failures() {
    std::lock_guard<std::mutex> lock(mutex_);
    return failures_;
  }

  uint64_t Calls(uint32_t calls) {
    std::lock_guard<std::mutex> lock(mutex_);
    uint64_t sum = 0;
    for (uint32_t call = 0; call < kCalls; ++call) {
      sum += (calls >> call & 1) != 0 ? calls_[call] : 0;
    }
    return sum;
  }

  // Cuts every file where it is synced or, if that is wanted, somewhere behind it. Answers how many lost something, or -1.
  int64_t DropUnsynced(const uint64_t* seed) {
    std::lock_guard<std::mutex> lock(mutex_);
    Numbers numbers(seed == nullptr ? 0 : *seed);
    int64_t cut = 0;
    for (const auto& [name, extent] : extents_) {
      if (extent->written <= extent->synced) {
        continue;
      }
      const uint64_t unsynced = extent->written - extent->synced;
      const uint64_t kept = seed == nullptr ? 0 : numbers.Below(unsynced + 1);
      // Of what is kept the end may be what the disk had there before: zeros, or anything. RocksDB expects that of logs alone;
      // of other files only that they end early, as file systems see to that grow a file once its content is written.
      const bool is_log = name.size() > 4 && name.compare(name.size() - 4, 4, ".log") == 0;
      const bool is_spoiled = is_log && kept > 0 && numbers.Below(3) == 0;
      const uint64_t spoiled = is_spoiled ? 1 + numbers.Below(std::min<uint64_t>(kept, 4096)) : 0;
      const bool with_zeros = numbers.Below(2) == 0;
      if (::truncate(name.c_str(), static_cast<off_t>(extent->synced + kept)) != 0) {
        if (errno == ENOENT) {
          continue; // deleted past us
        }
        return -1;
      }
      if (is_spoiled && !Spoil(name, extent->synced + kept - spoiled, spoiled, with_zeros, numbers)) {
        return -1;
      }
      ++cut;
    }
    return cut;
  }

  bool DeleteFilesCreatedAfterLastDirSync() {
    files_->Forgive(true);
    power_->SetFilesystemActive(true);
    IOStatus status = power_->DeleteFilesCreatedAfterLastDirSync(IOOptions(), nullptr);
    files_->Forgive(false);
    return status.ok();
  }

  void Reset() {
    std::lock_guard<std::mutex> lock(mutex_);
    power_->ResetState();
    extents_.clear();
    is_on_ = true;
    cut_left_ = 0;
    failing_calls_ = 0;
    calls_.fill(0);
    failures_ = 0;
  }

 private:
  static IOStatus PowerIsOff() { return IOStatus::IOError("the test says that the power is off"); }

  void TurnOff() {
    is_on_ = false;
    power_->SetFilesystemActive(false, PowerIsOff());
  }

  std::shared_ptr<Extent> Find(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto there = extents_.find(name);
    return there == extents_.end() ? nullptr : there->second;
  }

  std::shared_ptr<Extent> Track(const std::string& name, uint64_t bytes) {
    auto extent = std::make_shared<Extent>();
    extent->written = extent->synced = bytes;
    std::lock_guard<std::mutex> lock(mutex_);
    extents_[name] = extent;
    return extent;
  }

  static bool Spoil(const std::string& name, uint64_t from, uint64_t bytes, bool with_zeros, Numbers& numbers) {
    std::string spoiled(bytes, '\0');
    if (!with_zeros) {
      std::generate(spoiled.begin(), spoiled.end(), [&] { return static_cast<char>(numbers.Below(256)); });
    }
    const int file = ::open(name.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) {
      return false;
    }
    const ssize_t written = ::pwrite(file, spoiled.data(), spoiled.size(), static_cast<off_t>(from));
    ::close(file);
    return written == static_cast<ssize_t>(spoiled.size());
  }

  std::shared_ptr<ForgivingFileSystem> files_;
  std::shared_ptr<FaultInjectionTestFS> power_;
  std::mutex mutex_;
  bool is_on_ = true;
  std::map<std::string, std::shared_ptr<Extent>> extents_;
  std::array<uint64_t, kCalls> calls_{};
  uint32_t cut_calls_ = 0;
  uint64_t cut_left_ = 0;
  uint32_t failing_calls_ = 0;
  uint64_t failing_seen_ = 0;
  uint64_t fails_at_ = 0;
  uint64_t failures_ = 0;
  bool no_space_ = false;
  bool fails_on_ = false;
};

class CutSequentialFile : public FSSequentialFileOwnerWrapper {
 public:
  CutSequentialFile(std::unique_ptr<FSSequentialFile>&& file, CutFileSystem* fs)
      : FSSequentialFileOwnerWrapper(std::move(file)), fs_(fs) {}

  IOStatus Read(size_t n, const IOOptions& options, Slice* result, char* scratch, IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kRead);
    return status.ok() ? target()->Read(n, options, result, scratch, dbg) : status;
  }

  IOStatus PositionedRead(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                          IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kRead);
    return status.ok() ? target()->PositionedRead(offset, n, options, result, scratch, dbg) : status;
  }

 private:
  CutFileSystem* fs_;
};

class CutRandomAccessFile : public FSRandomAccessFileOwnerWrapper {
 public:
  CutRandomAccessFile(std::unique_ptr<FSRandomAccessFile>&& file, CutFileSystem* fs)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), fs_(fs) {}

  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* dbg) const override {
    IOStatus status = fs_->Admit(kRead);
    return status.ok() ? target()->Read(offset, n, options, result, scratch, dbg) : status;
  }

  IOStatus MultiRead(FSReadRequest* requests, size_t count, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kRead);
    for (size_t i = 0; !status.ok() && i < count; ++i) {
      requests[i].status = status;
    }
    return status.ok() ? target()->MultiRead(requests, count, options, dbg) : status;
  }

  IOStatus Prefetch(uint64_t offset, size_t n, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kRead);
    return status.ok() ? target()->Prefetch(offset, n, options, dbg) : status;
  }

  // At once: what is in flight when the power goes is of no interest.
  IOStatus ReadAsync(FSReadRequest& request, const IOOptions& options,
                     std::function<void(FSReadRequest&, void*)> callback, void* argument, void** /*handle*/,
                     IOHandleDeleter* /*deleter*/, IODebugContext* dbg) override {
    request.status = Read(request.offset, request.len, options, &request.result, request.scratch, dbg);
    callback(request, argument);
    return IOStatus::OK();
  }

 private:
  CutFileSystem* fs_;
};

class CutWritableFile : public FSWritableFileOwnerWrapper {
 public:
  CutWritableFile(std::unique_ptr<FSWritableFile>&& file, std::shared_ptr<Extent> extent, CutFileSystem* fs)
      : FSWritableFileOwnerWrapper(std::move(file)), extent_(std::move(extent)), fs_(fs) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return fs_->Write(*extent_, data, [&](const Slice& taken) { return target()->Append(taken, options, dbg); });
  }

  IOStatus Append(const Slice& data, const IOOptions& options, const DataVerificationInfo& verification,
                  IODebugContext* dbg) override {
    return fs_->Write(*extent_, data, [&](const Slice& taken) {
      return taken.size() == data.size() ? target()->Append(taken, options, verification, dbg)
                                         : target()->Append(taken, options, dbg);
    });
  }

  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kAppend);
    if (status.ok()) {
      status = target()->Truncate(size, options, dbg);
    }
    if (status.ok()) {
      fs_->Shorten(*extent_, size);
    }
    return status;
  }

  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return fs_->Synchronize(*extent_, [&] { return target()->Sync(options, dbg); });
  }

  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return fs_->Synchronize(*extent_, [&] { return target()->Fsync(options, dbg); });
  }

  // It begins to write back and waits for nothing: nothing is durable by it.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override { return fs_->Admit(kAppend); }

 private:
  std::shared_ptr<Extent> extent_;
  CutFileSystem* fs_;
};

class CutDirectory : public FSDirectoryWrapper {
 public:
  CutDirectory(std::unique_ptr<FSDirectory>&& directory, CutFileSystem* fs)
      : FSDirectoryWrapper(std::move(directory)), fs_(fs) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = fs_->Admit(kSyncDirectory);
    return status.ok() ? FSDirectoryWrapper::Fsync(options, dbg) : status;
  }

  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const DirFsyncOptions& how) override {
    IOStatus status = fs_->Admit(kSyncDirectory);
    return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, dbg, how) : status;
  }

 private:
  CutFileSystem* fs_;
};

IOStatus CutFileSystem::NewSequentialFile(const std::string& name, const FileOptions& options,
                                          std::unique_ptr<FSSequentialFile>* file, IODebugContext* dbg) {
  IOStatus status = Admit(kRead);
  if (status.ok()) {
    status = FileSystemWrapper::NewSequentialFile(name, options, file, dbg);
  }
  if (status.ok()) {
    file->reset(new CutSequentialFile(std::move(*file), this));
  }
  return status;
}

IOStatus CutFileSystem::NewRandomAccessFile(const std::string& name, const FileOptions& options,
                                            std::unique_ptr<FSRandomAccessFile>* file, IODebugContext* dbg) {
  IOStatus status = Admit(kRead);
  if (status.ok()) {
    status = FileSystemWrapper::NewRandomAccessFile(name, options, file, dbg);
  }
  if (status.ok()) {
    file->reset(new CutRandomAccessFile(std::move(*file), this));
  }
  return status;
}

IOStatus CutFileSystem::NewWritableFile(const std::string& name, const FileOptions& options,
                                        std::unique_ptr<FSWritableFile>* file, IODebugContext* dbg) {
  IOStatus status = Admit(kCreate);
  if (status.ok()) {
    status = FileSystemWrapper::NewWritableFile(name, options, file, dbg);
  }
  if (status.ok()) {
    file->reset(new CutWritableFile(std::move(*file), Track(name, 0), this));
  }
  return status;
}

IOStatus CutFileSystem::ReopenWritableFile(const std::string& name, const FileOptions& options,
                                           std::unique_ptr<FSWritableFile>* file, IODebugContext* dbg) {
  IOStatus status = Admit(kCreate);
  if (status.ok()) {
    status = FileSystemWrapper::ReopenWritableFile(name, options, file, dbg);
  }
  if (status.ok()) {
    std::shared_ptr<Extent> extent = Find(name);
    if (!extent) {
      struct stat there;
      extent = Track(name, ::stat(name.c_str(), &there) == 0 ? static_cast<uint64_t>(there.st_size) : 0);
    }
    file->reset(new CutWritableFile(std::move(*file), std::move(extent), this));
  }
  return status;
}

IOStatus CutFileSystem::NewDirectory(const std::string& name, const IOOptions& options,
                                     std::unique_ptr<FSDirectory>* directory, IODebugContext* dbg) {
  IOStatus status = Admit(kRead);
  if (status.ok()) {
    status = FileSystemWrapper::NewDirectory(name, options, directory, dbg);
  }
  if (status.ok()) {
    directory->reset(new CutDirectory(std::move(*directory), this));
  }
  return status;
}

}  // namespace

extern "C" {

struct blaze_fault_fs {
  std::shared_ptr<CutFileSystem> rep;
};

blaze_fault_fs* blaze_fault_fs_create() {
  auto files = std::make_shared<ForgivingFileSystem>(rocksdb::FileSystem::Default());
  auto power = std::make_shared<rocksdb::FaultInjectionTestFS>(files);
  return new blaze_fault_fs{std::make_shared<CutFileSystem>(files, power)};
}

void blaze_fault_fs_destroy(blaze_fault_fs* fs) { delete fs; }

rocksdb_env_t* blaze_fault_fs_env(const blaze_fault_fs* fs) {
  auto clock = std::make_shared<ImpatientClock>(rocksdb::SystemClock::Default());
  return new rocksdb_env_t{new rocksdb::CompositeEnvWrapper(rocksdb::Env::Default(), fs->rep, clock), false};
}

void blaze_fault_fs_set_on(const blaze_fault_fs* fs, bool on) { fs->rep->SetOn(on); }

bool blaze_fault_fs_is_on(const blaze_fault_fs* fs) { return fs->rep->IsOn(); }

void blaze_fault_fs_cut_at(const blaze_fault_fs* fs, uint32_t calls, uint64_t number) { fs->rep->CutAt(calls, number); }

void blaze_fault_fs_fail(const blaze_fault_fs* fs, uint32_t calls, uint64_t number, bool no_space, bool goes_on) {
  fs->rep->Fail(calls, number, no_space, goes_on);
}

uint64_t blaze_fault_fs_failures(const blaze_fault_fs* fs) { return fs->rep->Failures(); }

uint64_t blaze_fault_fs_calls(const blaze_fault_fs* fs, uint32_t calls) { return fs->rep->Calls(calls); }

int64_t blaze_fault_fs_drop_unsynced(const blaze_fault_fs* fs, const uint64_t* seed) {
  return fs->rep->DropUnsynced(seed);
}

bool blaze_fault_fs_delete_new_names(const blaze_fault_fs* fs) { return fs->rep->DeleteFilesCreatedAfterLastDirSync(); }

void blaze_fault_fs_reset(const blaze_fault_fs* fs) { fs->rep->Reset(); }

}  // extern "C"
