/* The life of a sale as a Spin model: reserve -> publish -> look -> 201 -> worker -> settle -> ack, with everything that dies.

   One product, sales of one unit each; sale 0 is POSTed twice (a double click, a retry) unless NODOUBLE.
   Redis keeps base (saldo), ver, hold (reservado), ep, and of each sale pend (its publish intents: 0 none, 1, 2 "more"), se
   (the hold's epoch), nn (who made it: the nonce). PostgreSQL keeps stock, dbv (the product's version), dbep (the epoch),
   done (the Venta is there) and fail (the VentaFallida). No fingerprints, no catalogue, no amounts: tests/lua/protocol has those.

   ONLY_OVERSELL leaves out what must hold at rest: a promised sale that cannot be written remains.
   Faults and their bounds: S0 units of stock, W workers, CRASH deaths, WARM warmups, DUP sweeps that come too early, LOSS:
   Redis falls back to an older state LOSSES times, COLDS cold starts at once, of which TAKE take the claim from the other,
   FAILS sales that cannot be written, SUPER decisions of a supervisor.

   With no switch this is the protocol. A switch takes one rule out (scripts/model.py says where each is looked for):
   WARM_BLIND        warmup: available := PostgreSQL's stock
   WARM_NAIVE        warmup: stock read before, minus the holds of now, no version
   WARM_PENDFIRST    warmup: holds read before the stock, no version
   BAL_BEFORE        settlement writes balances that were read before the transaction
   ROLLBACK_UNKNOWN  an unknown publish is given back
   REPLY_503         who did not hear from reserve is told that nothing was taken
   NO_INTENT         release does not ask who else may have published the sale
   NO_SWEEP_INTENT   the sweep's claim is no publish intent
   NO_NONCE          release takes any hold of the sale, not the one that this request made
   RELEASE_UNARMED   release does not ask whether Redis is armed
   RESERVE_UNARMED   reserve does not ask whether Redis is armed
   SWEEP_RELEASE     the sweep gives old holds back
   SWEEP_CANCEL      the sweep leaves a tombstone, then gives back, though 201 may have been answered
   SWEEP_UNARMED     the sweep publishes while Redis is not armed
   ANS_EARLY         201 before the confirm
   NO_FENCE          201 without the look after the confirm
   ACK_EARLY         the worker acknowledges before its transaction
   NO_UNIQUE         the worker does not ask whether the sale is written
   NO_EPOCH          the worker does not ask for the message's epoch
   COLD_NODRAIN      a cold start does not wait for the queue
   COLD_NODLQ        a cold start does not wait for the failed messages to be archived
   COLD_FORGETS      a cold start does not hold again what failed sales hold
   NO_TOKEN          two cold starts ask for no token, and raise the epoch from whatever it is
   NO_SERVER         a cold start does not ask whether Redis is the one that it claimed
   FAIL_RELEASE      a sale that failed gives its hold back
   NO_TOMB           descartar leaves no tombstone
   RELEASE_FIRST     descartar lets the hold go, then decides
   RETRY_UNHELD      reintentar publishes without holding first
   RETRY_EPOCH       reintentar does not ask whether a cold start took its hold since
   LAP_HELD          a discarded sale whose copy came again is held again by a cold start                                     */
#ifndef S0
#define S0 1
#endif
#ifndef CRASH
#define CRASH 2
#endif
#ifndef WARM
#define WARM 2
#endif
#ifndef DUP
#define DUP 1
#endif
#ifndef W
#define W 2
#endif
#ifndef FAILS
#define FAILS 0
#endif
#ifndef SUPER
#define SUPER 0
#endif
#ifdef LOSS
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef COLDS
#define COLDS 1
#endif
#ifndef TAKE
#define TAKE (COLDS-1)
#endif
#define EPOCHS (1+LOSSES+TAKE)
#else
#define EPOCHS 1
#endif
#define N 2
#define Q (N*EPOCHS)
#define avail (base-hold)
#if defined(WARM_NAIVE) || defined(WARM_BLIND) || defined(WARM_PENDFIRST)
#define NOVER
#endif

/* fail: the states of a VentaFallida; written again it is NONE */
#define NONE 0
#define HELD 1      /* open, its hold is kept */
#define EPOCA 2     /* open, of an older epoch: it holds nothing */
#define DISC 3      /* discarded: the tombstone */
#define LAP 4       /* open again, its message came after that: still a tombstone */
#define RET 5       /* tried again */
#define OPEN(i) (fail[i]==HELD || fail[i]==EPOCA || fail[i]==LAP || fail[i]==RET)
#ifdef NO_TOMB
#define TOMB(i) false
#else
#define TOMB(i) (fail[i]==DISC || fail[i]==LAP)
#endif

short stock=S0, dbv=1; byte dbep=1, fail[N], nsold=0; bit done[N], canc[N];          /* PostgreSQL */
bit armed=1; byte ep=1, token=0; short base=S0, ver=1, hold=0; byte pend[N], se[N], nn[N];   /* Redis */
short Dbase=S0, Dver=1, Dhold=0; byte Dtoken=0, Dpend[N], Dse[N], Dnn[N];                     /* Redis' disk */
byte server=1;                      /* its run_id */
byte q[Q], una[Q], dead[Q];         /* RabbitMQ: ready, unacknowledged, queue.sales.failed; index = sale + 2*(epoch-1) */
bit ans[N], no[N];                  /* told 201; told 503, and not asked again */
byte crashes=0, warms=0, dups=0, losses=0, takes=0, fails=0, sups=0, act[N];

#define M(i,e) (i+2*(e-1))
#if EPOCHS==1
#define SUM(x,i) (x[i])
#elif EPOCHS==2
#define SUM(x,i) (x[i]+x[i+2])
#elif EPOCHS==3
#define SUM(x,i) (x[i]+x[i+2]+x[i+4])
#else
#define SUM(x,i) (x[i]+x[i+2]+x[i+4]+x[i+6])
#endif
#define INFLIGHT(i) (SUM(q,i)+SUM(una,i)+SUM(dead,i))
#if defined(COLD_NODRAIN)
#define EMPTY true
#elif defined(COLD_NODLQ)
#define EMPTY (SUM(q,0)+SUM(una,0)+SUM(q,1)+SUM(una,1)==0)
#else
#define EMPTY (INFLIGHT(0)+INFLIGHT(1)==0)
#endif
#ifdef SWEEP_UNARMED
#define SWEEPOK true
#else
#define SWEEPOK armed
#endif
#ifdef RELEASE_UNARMED
#define RELEASEOK true
#else
#define RELEASEOK armed
#endif
#ifdef RESERVE_UNARMED
#define RESERVEOK true
#else
#define RESERVEOK armed
#endif

inline settle(i,s,v) {
  d_step { if :: pend[i]>0 -> pend[i]=0; se[i]=0; nn[i]=0; hold--;
#ifdef NOVER
      base--;
#endif
     :: else fi;
#ifndef NOVER
     if :: v>=ver -> base=s; ver=v :: else fi
#endif
  } }
#ifdef NO_INTENT
#define ALONE(i) true
#else
#define ALONE(i) (pend[i]==1)
#endif
#ifdef NO_NONCE
#define MADE(i,k) true
#else
#define MADE(i,k) (nn[i]==k+1)
#endif
inline release(i,k,told) { d_step { if
  :: pend[i]>0 && RELEASEOK && ALONE(i) && MADE(i,k) -> pend[i]=0; se[i]=0; nn[i]=0; hold--; no[i]=(no[i]|told)
  :: else fi } }
#ifdef FAIL_RELEASE
#define KEEP settle(i,s,v)
#else
#define KEEP skip
#endif
/* record_failed: a tombstone stays one, a hold stays known */
#if FAILS>0
#define RECORD(i,e) if \
  :: fail[i]==DISC || fail[i]==LAP -> fail[i]=LAP \
  :: else -> if :: e==dbep -> fail[i]=HELD \
                :: else -> if :: OPEN(i) && fail[i]!=EPOCA -> fail[i]=HELD :: else -> fail[i]=EPOCA fi fi fi
#else
#define RECORD(i,e) skip
#endif

proctype Api(byte k; byte i) { bit unk=0, conf=0, crea=0; byte e;
  atomic { RESERVEOK; no[i]=0;
     if :: pend[i]>0 -> pend[i]=2; e=se[i]                          /* asked again: no second hold, one more intent */
        :: pend[i]==0 && (done[i] || TOMB(i)) -> goto fin             /* its answer is kept */
        :: pend[i]==0 && avail>=1 -> pend[i]=1; e=ep; se[i]=e; nn[i]=k+1; hold++; crea=1
        :: pend[i]==0 && avail<1 -> goto fin fi;
     act[i]++ }
#ifdef ANS_EARLY
  ans[i]=1;
#endif
  if :: crashes<CRASH -> atomic { crashes++; act[i]--;              /* dies, or the reply is lost: 202 */
#ifdef REPLY_503
          no[i]=1;
#endif
          goto fin }
     :: true fi;
  if :: atomic { q[M(i,e)]++; conf=1 }        /* CONFIRMED */
     :: atomic { q[M(i,e)]++; unk=1 }         /* UNKNOWN, and it arrived */
     :: unk=1                                 /* UNKNOWN, and it did not */
     :: skip                                  /* REFUSED */
  fi;
  if :: conf -> if :: crashes<CRASH -> crashes++                      /* dies before it answers */
#ifdef NO_FENCE
                   :: ans[i]=1
#else
                   :: d_step { armed && ep==e -> ans[i]=1 }           /* the look; 201 */
                   :: d_step { !(armed && ep==e) -> skip }            /* 202 */
#endif
                fi
     :: unk ->
#ifdef ROLLBACK_UNKNOWN
        if :: crea -> release(i,k,0) :: else fi
#else
        skip
#endif
     :: else -> if :: crea -> release(i,k,1) :: else fi         /* 503 where given back, else 202 */
  fi;
  d_step { act[i]--; unk=0; conf=0; crea=0; e=0 };
fin: skip
}

inline dies() {
#ifndef ACK_EARLY
  una[m]--; q[m]++;
#endif
  crashes++
}
active [W] proctype Worker() { byte m, i; short s, v; bit c, broke, over;
end: do
 :: atomic { if :: q[0]>0 -> m=0 :: q[1]>0 -> m=1
#if EPOCHS>1
                :: q[2]>0 -> m=2 :: q[3]>0 -> m=3
#endif
#if EPOCHS>2
                :: q[4]>0 -> m=4 :: q[5]>0 -> m=5
#endif
#if EPOCHS>3
                :: q[6]>0 -> m=6 :: q[7]>0 -> m=7
#endif
             fi; q[m]--; i=m%2;
#ifndef ACK_EARLY
      una[m]++
#endif
    };
    if :: crashes<CRASH -> atomic { dies(); goto nxt } :: true fi;
#if FAILS>0
    if :: atomic { fails<FAILS && !done[i] -> fails++; dead[m]++; broke=1 } :: true fi;  /* its last attempt failed: dead-lettered */
#endif
#ifdef BAL_BEFORE
    d_step { s=stock; v=dbv };
#endif
    if :: !broke ->
      d_step { if                                             /* the transaction: judge, write, read the balances */
#ifndef NO_UNIQUE
         :: done[i] -> c=1
#endif
         :: canc[i] -> skip
         :: !done[i] && TOMB(i) -> fail[i]=LAP
#ifndef NO_EPOCH
         :: !done[i] && !TOMB(i) && (m/2+1)!=dbep -> assert(!(armed && ep==m/2+1));    /* it is what Redis promises now */
            RECORD(i,(m/2+1))                                  /* of an older epoch: nobody was promised it */
#endif
         :: else -> assert(stock>0);                          /* a promised sale that cannot be written */
#ifdef NO_UNIQUE
                    assert(!done[i]);
#endif
                    stock--; dbv++; nsold++; done[i]=1; c=1;
                    if :: OPEN(i) -> fail[i]=NONE :: else fi
         fi;
#ifndef BAL_BEFORE
         s=stock; v=dbv
#endif
      }
    :: else fi;
    if :: crashes<CRASH -> atomic { dies(); goto nxt } :: true fi;     /* after COMMIT */
    if :: c -> if :: settle(i,s,v) :: skip /* Redis does not answer: left to the sweep */ fi :: else fi;
#ifndef ACK_EARLY
    if :: crashes<CRASH -> atomic { dies(); goto nxt } :: true fi;
    una[m]--;
#endif
nxt: skip; d_step { m=0; i=0; c=0; s=0; v=0; broke=0 }
 od }

active proctype Sweeper() { byte i, e; short s, v; bit d;
#define DUE(i) (SWEEPOK && pend[i]>0 && (dups<DUP || (act[i]==0 && INFLIGHT(i)==0 && (done[i] || !OPEN(i)))))
end: do
 :: atomic { if :: DUE(0) -> i=0 :: DUE(1) -> i=1 fi;
      if :: act[i]+INFLIGHT(i)>0 || (!done[i] && OPEN(i)) -> dups++ :: else fi;
      e=se[i];
#ifndef NO_SWEEP_INTENT
      pend[i]=2                                                       /* the claim is one more intent */
#endif
      };
#if defined(SWEEP_RELEASE)
    d_step { if :: pend[i]>0 -> pend[i]=0; hold-- :: else fi };
#elif defined(SWEEP_CANCEL)
    d_step { if :: !done[i] -> canc[i]=1 :: else fi; d=done[i]; s=stock; v=dbv };
    if :: d -> settle(i,s,v) :: else -> d_step { if :: pend[i]>0 -> pend[i]=0; hold-- :: else fi } fi;
#else
    q[M(i,e)]++;
#endif
    d_step { d=0; s=0; v=0; i=0; e=0 }
 od }

active proctype Warmup() { short s, v; byte p;
end: do
 :: warms<WARM ->
#ifdef WARM_PENDFIRST
    d_step { warms++; p=hold };
    d_step { s=stock; v=dbv };
#else
    d_step { warms++; s=stock; v=dbv };
#endif
    d_step { if :: armed ->
#if defined(WARM_BLIND)
      base=s+hold
#elif defined(WARM_NAIVE)
      base=s
#elif defined(WARM_PENDFIRST)
      base=s-p+hold
#else
      if :: v>=ver -> base=s; ver=v :: else fi
#endif
     :: else fi; s=0; v=0; p=0 }
 od }

#if FAILS>0
active proctype Archive() { byte m, i; short s, v;                     /* queue.sales.failed -> VentaFallida */
end: do
 :: atomic { if :: dead[0]>0 -> m=0 :: dead[1]>0 -> m=1
#if EPOCHS>1
                :: dead[2]>0 -> m=2 :: dead[3]>0 -> m=3
#endif
#if EPOCHS>2
                :: dead[4]>0 -> m=4 :: dead[5]>0 -> m=5
#endif
             fi; i=m%2;
      d_step { if :: done[i] -> skip :: else -> RECORD(i,(m/2+1)) fi; s=stock; v=dbv } };
    KEEP;
    d_step { dead[m]--; m=0; i=0; s=0; v=0 }                          /* acknowledged after it is kept */
 od }
#endif

#if SUPER>0
active proctype Supervisor() { byte i, e; short s, v; bit ok, crea;
end: do
 :: atomic { if :: sups<SUPER && OPEN(0) -> i=0 :: sups<SUPER && OPEN(1) -> i=1 fi; sups++ };
    if
    :: skip                                                            /* nobody decides */
    ::                                                                 /* descartar: the goods came back */
#ifdef RELEASE_FIRST
       d_step { s=base; v=ver }; settle(i,s,v);
#endif
       d_step { if :: !done[i] && OPEN(i) -> fail[i]=DISC; ok=1 :: else fi; s=stock; v=dbv };
#ifndef RELEASE_FIRST
       if :: ok -> settle(i,s,v) :: else fi
#else
       skip
#endif
    ::                                                                 /* reintentar: held, recorded, published */
#ifdef RETRY_UNHELD
       d_step { if :: OPEN(i) -> fail[i]=RET; ok=1; e=dbep :: else fi };
#else
       d_step { if :: armed && pend[i]>0 -> pend[i]=2; e=se[i]; ok=1
                   :: armed && pend[i]==0 && !done[i] && avail>=1 -> pend[i]=1; e=ep; se[i]=e; nn[i]=9; hold++; ok=1; crea=1
                   :: else fi };
       d_step { if
#ifdef RETRY_EPOCH
                   :: ok && OPEN(i) -> fail[i]=RET
#else
                   :: ok && OPEN(i) && dbep==e -> fail[i]=RET
#endif
                   :: else -> ok=0 fi };
       if :: crea && !ok -> release(i,8,0) :: else fi;
#endif
       if :: ok -> d_step { q[M(i,e)]++; no[i]=0 } :: else fi        /* a person decided otherwise */
    fi;
    d_step { i=0; e=0; s=0; v=0; ok=0; crea=0 }
 od }
#endif

#ifdef LOSS
active proctype Disk() {
end: do
 :: d_step { losses<LOSSES && armed -> Dbase=base; Dver=ver; Dhold=hold; Dtoken=token;
      Dpend[0]=pend[0]; Dpend[1]=pend[1]; Dse[0]=se[0]; Dse[1]=se[1]; Dnn[0]=nn[0]; Dnn[1]=nn[1] }   /* written to here */
#if LOSSES>1
 :: d_step { losses<LOSSES && !armed && token!=0 -> Dbase=base; Dver=ver; Dhold=hold; Dtoken=token;
      Dpend[0]=pend[0]; Dpend[1]=pend[1]; Dse[0]=se[0]; Dse[1]=se[1]; Dnn[0]=nn[0]; Dnn[1]=nn[1] }
#endif
 :: d_step { losses<LOSSES -> losses++; armed=0; server++; token=Dtoken; base=Dbase; ver=Dver; hold=Dhold;
      pend[0]=Dpend[0]; pend[1]=Dpend[1]; se[0]=Dse[0]; se[1]=Dse[1]; nn[0]=Dnn[0]; nn[1]=Dnn[1];
      if :: losses==LOSSES -> Dbase=0; Dver=0; Dhold=0; Dtoken=0; Dpend[0]=0; Dpend[1]=0; Dse[0]=0; Dse[1]=0; Dnn[0]=0; Dnn[1]=0
         :: else fi }
 od }

bit busy[3];
#ifdef NO_TOKEN
#define MINE true
#define UNRAISED true
#else
#define MINE (token==me)
#define UNRAISED (dbep==seen)
#endif
#ifdef NO_SERVER
#define SAME true
#else
#define SAME (server==saw)
#endif
proctype Cold(byte me) { byte saw, seen, e; short s, v; bit ok, f0, f1;
end: do
 :: atomic { !armed && (token==0 || !busy[token] || takes<TAKE) ->       /* begin; a lease that nobody renews runs out */
      if :: token!=0 && busy[token] -> takes++ :: else fi;
      token=me; busy[me]=1; saw=server; seen=dbep };
    if :: EMPTY -> ok=1                                                /* drained: it was empty at a moment after begin */
       :: armed || !MINE || !SAME -> ok=0
    fi;
    d_step { if :: ok && UNRAISED -> dbep++; e=dbep; s=stock; v=dbv;                    /* one transaction, under the exclusive lock */
                if :: fail[0]==RET -> fail[0]=HELD :: else fi; if :: fail[1]==RET -> fail[1]=HELD :: else fi;
#ifdef COLD_FORGETS
                f0=0; f1=0
#elif defined(LAP_HELD)
                f0=(fail[0]==HELD || fail[0]==LAP); f1=(fail[1]==HELD || fail[1]==LAP)
#else
                f0=(fail[0]==HELD); f1=(fail[1]==HELD)
#endif
           :: else -> ok=0 fi };
    d_step { if :: ok && MINE && SAME && !armed ->                     /* clear, load */
                pend[0]=0; pend[1]=0; se[0]=0; se[1]=0; nn[0]=0; nn[1]=0; hold=0; base=s; ver=v
                :: else -> ok=0 fi };
    d_step { if :: ok && MINE && SAME && !armed ->                     /* hold again */
                if :: f0 && pend[0]==0 -> pend[0]=1; se[0]=e; hold++ :: else fi;
                if :: f1 && pend[1]==0 -> pend[1]=1; se[1]=e; hold++ :: else fi
                :: else -> ok=0 fi };
    d_step { if :: ok && MINE && SAME -> ep=e; armed=1; token=0 :: else -> if :: token==me -> token=0 :: else fi fi;   /* arm last */
             busy[me]=0; saw=0; seen=0; e=0; s=0; v=0; ok=0; f0=0; f1=0 }
 od }
#endif

active proctype Check() { byte k;
  timeout;
#ifdef ONLY_OVERSELL
end: false;
#endif
#ifdef LOSS
  assert(armed);
#endif
  d_step { k=0; do :: k<N ->
      assert(!ans[k] || done[k] || fail[k]==HELD || fail[k]==DISC || fail[k]==LAP);     /* told 201: written, or kept for a person */
      assert(!no[k] || !done[k] || ans[k]);                                              /* told 503: not written */
      assert(!(done[k] && canc[k]));
      assert(fail[k]!=HELD || pend[k]>0);                                                /* kept for a person: held */
      assert(pend[k]==0 || fail[k]==HELD || fail[k]==LAP || fail[k]==EPOCA);             /* no other hold is left */
      k++ :: else -> break od;
    assert(hold==(pend[0]>0)+(pend[1]>0));
    assert(stock==S0-nsold && stock>=0);
#ifdef NOVER
    assert(stock>=base || avail==stock)
#else
    assert(stock==base || (losses==0 && stock>=base && avail==stock) || pend[0]+pend[1]>0)
#endif
  }
}
init { atomic { run Api(0,0); run Api(1,1);
#ifndef NODOUBLE
 run Api(2,0);
#endif
#ifdef LOSS
 run Cold(1);
#if COLDS>1
 run Cold(2);
#endif
#endif
 } }
